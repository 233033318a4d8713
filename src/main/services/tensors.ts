import { join } from 'node:path'
import { z } from 'zod'
import { TensorCard } from '../contract/model'
import type { JobProgress } from '../contract/progress'
import { writeJsonAtomic } from '../store/atomic'
import { readJson } from '../store/jsonFile'
import { hashModel } from '../store/modelHash'
import type { Deps } from './deps'
import { createJobs } from './jobs'
import type { Lanes } from './lanes'
import { find } from './library'

const Kept = z.object({ format: z.literal(1), tensors: z.array(TensorCard) })

/** What the tensors of a backbone hold: computed beside the window, and kept under the content of the files. */
export function createTensors(deps: Deps, lanes: Lanes) {
  const jobs = createJobs()
  const underWay = new Map<string, Promise<TensorCard[]>>()
  const pathOf = (from: string) => find(deps, 'backbones', from, [process.cwd()]).path

  async function compute(path: string, file: string): Promise<TensorCard[]> {
    const tensors = await jobs.follow(path, async followed => deps.host.start({ kind: 'tensors', input: { model: path } }, { ...followed, environment: await lanes.forSmall() }))
    writeJsonAtomic(file, { format: 1, tensors } satisfies z.infer<typeof Kept>)
    return tensors
  }

  return {
    async tensors({ path: from }: { path: string }): Promise<TensorCard[]> {
      const path = pathOf(from)
      const file = join(deps.workspace.cache, `tensors-${await hashModel(path)}.json`)
      const kept = readJson(file, Kept.nullable(), () => null)
      if (kept) return kept.tensors
      const computing = underWay.get(path) ?? compute(path, file).finally(() => underWay.delete(path))
      underWay.set(path, computing)
      return computing
    },
    /** For all who wait for it. */
    cancelTensors: ({ path }: { path: string }): void => jobs.cancel(pathOf(path)),
    tensorsProgress: ({ path }: { path: string }, emit: (events: JobProgress[]) => void): (() => void) => jobs.progress(pathOf(path), emit),
  }
}
