// node bench/runs/bundle.mjs ENTRY [ARGUMENT...]: builds a TypeScript entry of this folder and runs it in plain Node.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'vite'

const root = resolve(import.meta.dirname, '../..')
const outDir = mkdtempSync(join(root, 'node_modules/.bench-'))
try {
  await build({
    configFile: false, logLevel: 'error', root, resolve: { alias: { '@contract': join(root, 'src/main/contract') } },
    build: { ssr: resolve(process.argv[2]), outDir, target: 'node20', minify: false, rollupOptions: { output: { entryFileNames: 'entry.mjs' } } },
    ssr: { noExternal: ['zod'] },
  })
  process.exitCode = spawnSync(process.execPath, ['--expose-gc', join(outDir, 'entry.mjs'), ...process.argv.slice(3)], { stdio: 'inherit' }).status
} finally {
  rmSync(outDir, { recursive: true, force: true })
}
