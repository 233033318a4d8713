import { resolve } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'electron-vite'

const at = (path: string) => resolve(import.meta.dirname, path)
const alias = { '@contract': at('src/main/contract') }

// The oldest of what the code meets: Node 20 runs the command line, Electron 33 (Chromium 130) may stand in for the
// release (scripts/electronFromNpm.mjs). Left alone, electron-vite would build for the newest only.
const NODE = 'node20.18'
const CHROME = 'chrome130'

export default defineConfig(({ command }) => ({
  main: {
    resolve: { alias },
    build: {
      target: NODE,
      rollupOptions: {
        input: {
          index: at('src/main/index.ts'),
          trainer: at('src/main/worker/trainer.ts'),
          cli: at('src/main/cli/index.ts'),
        },
      },
    },
  },
  preload: {
    resolve: { alias },
    build: {
      target: NODE,
      // A sandboxed preload must be CommonJS and can require nothing but Electron.
      externalizeDeps: false,
      rollupOptions: {
        input: { preload: at('src/main/preload.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: at('src/renderer'),
    resolve: { alias },
    plugins: [vue()],
    build: {
      target: CHROME,
      minify: command === 'build',
      rollupOptions: { input: at('src/renderer/index.html') },
    },
  },
}))
