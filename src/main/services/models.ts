import { statSync } from 'node:fs'
import { AppError } from '../contract/errors'
import type { BackboneCard, InspectReport } from '../contract/model'
import { inspectModel } from '../engine/io/model'
import { diskFiles } from '../store/files'
import type { Deps } from './deps'
import { addHolding, find, type Holding, listHoldings, removeHolding } from './library'

/** Backbones, known from their headers and configuration alone: no weight is read. */
export function createModels(deps: Deps) {
  const seen = new Map<string, Promise<InspectReport>>()

  /** The report of the files as they are now; asked for again and again while a recipe is written. */
  function inspectPath(path: string): Promise<InspectReport> {
    const entry = statSync(path, { throwIfNoEntry: false })
    const key = `${path} ${entry?.mtimeMs} ${entry?.size}`
    const known = seen.get(key)
    if (known) return known
    const report = diskFiles(path).then(files => inspectModel(files, path))
    seen.set(key, report)
    report.catch(() => seen.delete(key))
    return report
  }

  async function card(holding: Holding): Promise<BackboneCard> {
    const about = { id: holding.id, name: holding.name, path: holding.path, source: holding.source, licence: holding.licence }
    try {
      const report = await inspectPath(holding.path)
      return { ...about, summary: holding.source === 'sample' && holding.summary ? holding.summary : summary(report), parameters: report.parameters, imageSize: report.shape.imageSize, problem: null }
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      return { ...about, summary: holding.path, parameters: 0, imageSize: 0, problem: thrown.message }
    }
  }

  return {
    inspectPath,
    list: () => Promise.all(listHoldings(deps, 'backbones').map(card)),
    inspect: ({ path }: { path: string }) => inspectPath(find(deps, 'backbones', path, [process.cwd()]).path),
    async add({ path }: { path: string }): Promise<BackboneCard> {
      await inspectPath(find(deps, 'backbones', path, [process.cwd()]).path)
      return card(addHolding(deps, 'backbones', path))
    },
    remove: ({ id }: { id: string }) => removeHolding(deps, 'backbones', id),
  }
}
export type Models = ReturnType<typeof createModels>

const summary = ({ architecture, shape }: InspectReport) => `${architecture}: ${shape.width} wide, ${shape.depth} blocks, patches of ${shape.patch} px`
