import type { TensorCard } from '../../contract/model'
import { AppError } from '../../contract/errors'
import { openModel } from '../../engine/io/model'
import { tensorCard } from '../../engine/tensorStatistics'
import { diskFiles } from '../../store/files'
import type { JobFunction } from '../protocol'

/** Reads every number of a model once. */
export const runTensors: JobFunction<'tensors'> = async ({ model }, ctx) => {
  const { stored } = await openModel(await diskFiles(model))
  const cards: TensorCard[] = []
  for (const tensor of stored.values()) {
    if (!(await ctx.turn())) throw new AppError('cancelled', 'Stopped.')
    ctx.progress('data', cards.length, stored.size, tensor.name)
    cards.push(await tensorCard(tensor))
  }
  return cards
}
