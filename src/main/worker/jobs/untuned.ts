import { loadModel, type Model } from '../../engine/model'
import type { StepState } from '../../engine/step/step'
import type { Tuning } from '../../engine/tuning'
import { byName } from './adapter'
import { withHead, type Session } from './session'

/** The frozen backbone under the run's trained head. */
export const underTrainedHead = ({ model: { shape }, opened, tuning }: Session, { values }: StepState): Promise<Model> =>
  loadModel(shape, withHead(opened.read, trainedHead(tuning, values)))

/** The backbone as it came, with its own head, at the size the run sees images. */
export const underOwnHead = ({ model: { shape }, opened }: Session): Promise<Model> =>
  loadModel({ ...opened.shape, imageSize: shape.imageSize }, opened.read)

const trainedHead = (tuning: Tuning, values: Float32Array): Map<string, Float32Array> => {
  const heads = new Set(tuning.slots.filter(slot => slot.kind === 'head').map(slot => slot.name))
  return new Map([...byName(tuning, values)].filter(([name]) => heads.has(name)))
}
