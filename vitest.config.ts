import { resolve } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const alias = { '@contract': resolve(import.meta.dirname, 'src/main/contract') }

function project(name: string, folders: string[], options: { testTimeout: number; fileParallelism?: boolean; expect?: { poll: { timeout: number } } }) {
  const include = folders.map((folder) => `tests/${folder}/**/*.test.ts`)
  return { plugins: [vue()], resolve: { alias }, test: { name, include, hookTimeout: options.testTimeout, ...options } }
}

export default defineConfig({
  test: {
    // Native TensorFlow does not survive worker threads; each process of it takes a good part of a gigabyte.
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      project('unit', ['engine', 'conformance', 'contract', 'main', 'renderer'], { testTimeout: 60_000 }),
      project('process', ['process'], { testTimeout: 180_000 }),
      project('e2e', ['e2e'], { testTimeout: 360_000, fileParallelism: false, expect: { poll: { timeout: 15_000 } } }),
      project('screens', ['screens'], { testTimeout: 360_000, fileParallelism: false }),
    ],
  },
})
