import { join } from 'node:path'
import { z } from 'zod'
import { TensorCard } from '../contract/model'
import { writeJsonAtomic } from '../store/atomic'
import { readJson } from '../store/jsonFile'
import { hashModel } from '../store/modelHash'
import type { Deps } from './deps'
import type { Lanes } from './lanes'
import { find } from './library'

const Kept = z.object({ format: z.literal(1), tensors: z.array(TensorCard) })

/** What the tensors of a backbone hold: computed beside the window, and kept under the content of the files. */
export function createTensors(deps: Deps, lanes: Lanes) {
  const underWay = new Map<string, Promise<TensorCard[]>>()

  async function compute(path: string, file: string): Promise<TensorCard[]> {
    const tensors = await deps.host.start({ kind: 'tensors', input: { model: path } }, { environment: await lanes.forSmall() })
    writeJsonAtomic(file, { format: 1, tensors } satisfies z.infer<typeof Kept>)
    return tensors
  }

  return async ({ path: from }: { path: string }): Promise<TensorCard[]> => {
    const { path } = find(deps, 'backbones', from, [process.cwd()])
    const hash = await hashModel(path)
    const file = join(deps.workspace.cache, `tensors-${hash}.json`)
    const kept = readJson(file, Kept.nullable(), () => null)
    if (kept) return kept.tensors
    const computing = underWay.get(hash) ?? compute(path, file).finally(() => underWay.delete(hash))
    underWay.set(hash, computing)
    return computing
  }
}
