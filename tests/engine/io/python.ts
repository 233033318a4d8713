import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { safetensorsFile, type TensorToWrite } from '../../../src/main/engine/io/safetensors'
import { collect, type OutFile } from '../../../src/main/engine/io/bytes'
import { writeFiles } from '../../../src/main/store/files'

/** A Python with timm, transformers and peft (tests/reference/README.md); the tests that need it are skipped without. */
export const python = process.env.ENGRAM_REFERENCE_PYTHON

/** Loads an exported folder in its own library and compares its outputs with those given. Returns what the check says. */
export async function checkExport(files: readonly OutFile[], io: readonly TensorToWrite[], base?: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'engram-export-'))
  await writeFiles(join(folder, 'out'), files)
  writeFileSync(join(folder, 'io.safetensors'), await collect(safetensorsFile('io.safetensors', io)))
  const script = join(import.meta.dirname, '../../reference/checkExport.py')
  const ran = spawnSync(python!, [script, join(folder, 'out'), join(folder, 'io.safetensors'), ...(base ? [base] : [])], { encoding: 'utf8' })
  return ran.status === 0 ? 'same' : `${folder}: ${ran.stdout.slice(-1500)}\n${ran.stderr.slice(-3000)}`
}
