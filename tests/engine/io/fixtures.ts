import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Files } from '../../../src/main/engine/io/bytes'
import { openSafetensors, type TensorStore } from '../../../src/main/engine/io/safetensors'
import { diskFiles, fileSource } from '../../../src/main/store/files'

export const fixtures = join(import.meta.dirname, '../../fixtures/reference')
export const fixturePath = (...parts: string[]): string => join(fixtures, ...parts)
export const fixtureFiles = (...parts: string[]): Promise<Files> => diskFiles(fixturePath(...parts))
export const fixtureTensors = (...parts: string[]): Promise<TensorStore> => openSafetensors(fileSource(fixturePath(...parts)))
export const caseOf = (name: string): Record<string, unknown> & { expected?: Record<string, unknown> } =>
  JSON.parse(readFileSync(fixturePath(name, 'case.json'), 'utf8'))
export const casesWith = (inside: string): string[] =>
  readdirSync(fixtures).filter(name => { try { return readdirSync(join(fixtures, name)).includes(inside) } catch { return false } })
/** Cases that are a backbone of their own. */
export const backbones = casesWith('model')
