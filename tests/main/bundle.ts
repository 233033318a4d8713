import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'vite'

/** Builds a TypeScript entry of the tests into one file that plain Node can run. */
export async function bundle(entry: string): Promise<{ path: string; remove(): void }> {
  const outDir = mkdtempSync(join(tmpdir(), 'engram-bundle-'))
  await build({
    configFile: false, logLevel: 'error', root: resolve('.'),
    build: { ssr: entry, outDir, target: 'node20', minify: false, rollupOptions: { output: { entryFileNames: 'entry.mjs' } } },
    ssr: { noExternal: ['zod'] },
  })
  return { path: join(outDir, 'entry.mjs'), remove: () => rmSync(outDir, { recursive: true, force: true }) }
}
