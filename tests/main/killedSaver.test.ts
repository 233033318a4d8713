import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { removeTemporaries } from '../../src/main/store/atomic'
import { checkpointsFolder, listCheckpoints } from '../../src/main/store/checkpoints'
import { bundle } from './bundle'
import { temporaryFolder } from './fixtures'

describe('a checkpoint whose writer is killed at any moment', () => {
  it('is the old one or the new one, whole', async () => {
    const saver = await bundle('tests/main/saver.ts')
    const left = new Set<string>()
    for (let attempt = 0; attempt < 12; attempt++) {
      const folder = temporaryFolder()
      const child = spawn(process.execPath, [saver.path, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
      await once(child.stdout, 'data')
      await new Promise(resolve => setTimeout(resolve, attempt * 7))
      child.kill('SIGKILL')
      await once(child, 'exit')
      for (const name of readdirSync(checkpointsFolder(folder))) left.add(name.slice(0, 4))
      removeTemporaries(checkpointsFolder(folder), true)
      const [only, ...more] = listCheckpoints(folder)
      expect(more).toEqual([])
      expect(only!.state.step).toBe(100)
      const expected = only!.state.metrics['round']! % 251
      for (const name of ['a.safetensors', 'b.safetensors']) {
        const bytes = readFileSync(join(only!.folder, name))
        expect(bytes.length).toBe(2_000_000)
        expect(bytes.every(byte => byte === expected)).toBe(true)
      }
      expect(readdirSync(checkpointsFolder(folder))).toEqual(['step-000100'])
    }
    // The test means something only where kills did hit a save under way.
    expect([...left]).toContain('.tmp')
    saver.remove()
  })
})
