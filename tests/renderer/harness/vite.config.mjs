import { resolve } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

const at = path => resolve(import.meta.dirname, path)

/** The renderer in a plain browser over a back end in memory. `npx vite --config tests/renderer/harness/vite.config.mjs`. */
export default defineConfig({
  root: at('../../..'),
  cacheDir: '/tmp/engram-harness-cache',
  resolve: { alias: [{ find: '@contract', replacement: at('../../../src/main/contract') }, { find: /^.*\/tf$/, replacement: at('noTensors.ts') }] },
  plugins: [vue()],
  server: { hmr: false, watch: null },
  clearScreen: false,
})
