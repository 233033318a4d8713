import { freemem } from 'node:os'
import { AppError } from '../../contract/errors'
import type { Sizes } from '../../engine/step/trace'
import { fasterPrecision, type Precision } from '../../contract/rates'
import { planKept, type KeptPlan } from '../../engine/step/kept'
import type { Step } from '../../engine/step/step'
import type { JobContext } from '../protocol'
import { knownRates } from './machineRates'
import type { Session } from './session'

export interface TrainStep { step: Step; precision: Precision; notices: string[] }

const MOST_KEPT = 2e9

/**
 * Compiled where the recipe wants it or leaves it open; what cannot be compiled runs eagerly, and says why. A run keeps
 * the precision that it began with.
 */
export async function stepFor(session: Session, sizes: Sizes, images: number, began: Precision | null, workspace: string, ctx: JobContext): Promise<TrainStep> {
  const { recipe } = session.resolved
  if (recipe.step === 'eager') return eager(session, [])
  ctx.progress('prepare', null, null, 'Compiling the training step')
  const start = performance.now()
  try {
    const { precision, why } = choosePrecision(session, began, workspace, ctx.device)
    const kept = planKept(session.model, session.tuning, recipe.train, images, Math.min(MOST_KEPT, freemem() / 4))
    const step = await session.compiledStep(sizes, precision, kept?.from ?? 0)
    return { step, precision, notices: [...why, ...(kept ? [keptNotice(kept)] : []), `Training step compiled in ${((performance.now() - start) / 1000).toFixed(1)} s.`] }
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message.split('\n')[0]! : String(thrown)
    const field = recipe.step === 'compiled' ? 'step' : recipe.precision === 'bfloat16' ? 'precision' : null
    if (field) throw new AppError('internal', `The training step could not be compiled: ${why} Set ${field} to "auto".`, { field, cause: thrown })
    return eager(session, [`The training step runs eagerly: it could not be compiled (${why}).`])
  }
}

/** For forward passes alone, in the precision that a run was trained in. */
export async function forwardStep(session: Session, sizes: readonly number[], precision: Precision): Promise<Step> {
  if (session.resolved.recipe.step === 'eager') return session.eagerStep()
  try {
    return await session.compiledStep({ train: [], predict: sizes }, precision, 0)
  } catch {
    return session.eagerStep()
  }
}

const eager = async (session: Session, notices: string[]): Promise<TrainStep> => ({ step: await session.eagerStep(), precision: 'float32', notices })

const keptNotice = ({ stage, bytes }: KeptPlan): string => `What enters ${stage} is computed once for each image and kept (${(bytes / 1e6).toFixed(1)} MB).`

function choosePrecision({ resolved: { recipe } }: Session, began: Precision | null, workspace: string, device: string): { precision: Precision; why: string[] } {
  if (recipe.precision !== 'auto') return { precision: recipe.precision, why: [] }
  if (began) return { precision: began, why: [] }
  const rates = knownRates(workspace, device), precision = fasterPrecision(rates)
  const measured = `${Math.round(rates.bfloat16)} GFLOP/s in bfloat16, ${Math.round(rates.float32)} in float32`
  return { precision, why: [`Large matrix products run in ${precision}: this machine reaches ${measured}.`] }
}
