import type { Ablation } from '../contract/ablation'
import { ablationsOf } from '../engine/ablations'
import type { Deps } from './deps'
import type { Planning } from './planning'

/** The ablations of a run, with LoRA's rank counted on the run's own backbone. */
export const createAblations = ({ store }: Deps, planning: Planning) => async ({ run }: { run: string }): Promise<Ablation[]> => {
  const { recipe } = store.manifest(run)
  const here = [process.cwd()]
  const [own, rankOne] = await Promise.all([planning.plan(recipe, here), planning.plan({ ...recipe, method: { type: 'lora', rank: 1, san: null } }, here)])
  return ablationsOf(recipe, { method: own.trainable.method, perRank: rankOne.trainable.method })
}
