import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WithModelFolder } from '../../engine/step/graph/session'

/** TensorFlow loads graphs from a folder alone. */
export const withModelFolder: WithModelFolder = (savedModelPb, load) => {
  const folder = mkdtempSync(join(tmpdir(), 'engram-graph-'))
  try {
    writeFileSync(join(folder, 'saved_model.pb'), savedModelPb)
    return load(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
