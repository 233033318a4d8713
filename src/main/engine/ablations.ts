import type { Ablation } from '../contract/ablation'
import type { Recipe } from '../contract/recipe'
import { findMethod, parseRecipe } from './recipe'
import type { SanConfig } from './san/config'

/** What is known of a run beside its recipe: the parameters of its method, and what a rank of 1 costs there. */
export interface Budget { method: number; perRank: number }

/** A finished run's ablations: each changes one thing. Another method takes its own default learning rate. */
export function ablationsOf(recipe: Recipe, budget: Budget | null): Ablation[] {
  const { settings } = parseRecipe(recipe)
  const offered = !('never' in settings.method.san)
  return [...(settings.san ? ofSan(recipe, settings.san, settings.method.id) : offered ? [propagationOn(recipe)] : []), lora(recipe, budget), probe(recipe)]
}

const named = (recipe: Recipe, words: string) => ({ ...recipe, name: `${recipe.name}, ${words}`.slice(0, 120) })
const withSan = (recipe: Recipe, words: string, san: object | null) => named({ ...recipe, method: { ...recipe.method, san: san as Record<string, unknown> | null } }, words)

const propagationOn = (recipe: Recipe): Ablation =>
  ({ id: 'propagation-on', title: 'Propagation on', sentence: 'The same method with SAN at its defaults.', recipe: withSan(recipe, 'propagation on', {}) })

function ofSan(recipe: Recipe, san: SanConfig, method: string): Ablation[] {
  const functional = san.preset === 'paper-functional'
  const preset = (id: SanConfig['preset']) => ({ ...san, preset: id, axis: 'auto', qkvSource: 'auto', projMap: 'auto' })
  const kind = functional ? 'locational' : 'functional'
  return [
    { id: 'propagation-off', title: `Propagation off (${findMethod(method).title})`, sentence: 'The same method without SAN.', recipe: withSan(recipe, 'propagation off', null) },
    { id: kind, title: functional ? 'Locational' : 'Functional', sentence: functional ? 'Into the next layer\'s input columns.' : 'Into the rows of the same layer one block on.', recipe: withSan(recipe, kind, preset(functional ? 'paper-locational' : 'paper-functional')) },
    { id: 'random', title: 'Random targets', sentence: 'The same gains, sent to seeded later layers of a fitting width.', recipe: san.preset === 'random' ? null : withSan(recipe, 'random targets', preset('random')) },
    otherPool(recipe, san, method),
  ]
}

/** Only a measured gain is pooled; a method's own gain is what it is. */
function otherPool(recipe: Recipe, san: SanConfig, method: string): Ablation {
  const coupling = findMethod(method).san
  const own = 'gain' in coupling && coupling.gain !== undefined && (san.gamma === 'auto' || san.gamma === 'own')
  const pooled = !own && san.gamma !== 'weight' && san.gamma !== 'magnitude'
  const pool = san.pool === 'energy' ? 'median' : 'energy'
  const sentence = pooled ? `The gain pooled by ${pool} instead of ${san.pool}.` : `The gain of ${findMethod(method).title} here is its own and is not pooled.`
  return { id: 'other-pool', title: `Pooled by ${pool}`, sentence, recipe: pooled ? withSan(recipe, `pooled by ${pool}`, { ...san, pool }) : null }
}

const withMethod = (recipe: Recipe, words: string, method: Recipe['method']) => named({ ...recipe, method, train: { ...recipe.train, learningRate: null } }, words)

function lora(recipe: Recipe, budget: Budget | null): Ablation {
  const offer = { id: 'lora', title: 'LoRA at equal budget' }
  if (recipe.method.type === 'lora') return { ...offer, sentence: 'This run is LoRA already.', recipe: null }
  if (!budget || budget.method === 0 || budget.perRank === 0) return { ...offer, sentence: 'This run adapts no layer, so there is no budget to match.', recipe: null }
  const rank = Math.max(1, Math.round(budget.method / budget.perRank))
  const words = (count: number) => count.toLocaleString('en-US')
  return { ...offer, sentence: `Rank ${rank}: ${words(rank * budget.perRank)} parameters against ${words(budget.method)}.`, recipe: withMethod(recipe, `LoRA ${rank}`, { type: 'lora', san: null, rank, alpha: rank }) }
}

const probe = (recipe: Recipe): Ablation => recipe.method.type === 'linear-probe'
  ? { id: 'linear-probe', title: 'Linear probe', sentence: 'This run is a linear probe already.', recipe: null }
  : { id: 'linear-probe', title: 'Linear probe', sentence: 'A fresh head on frozen features.', recipe: withMethod(recipe, 'linear probe', { type: 'linear-probe', san: null }) }
