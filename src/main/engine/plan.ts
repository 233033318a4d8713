import { AppError } from '../contract/errors'
import type { Shape } from '../contract/model'
import type { Notice, PlanReport, SanPlan } from '../contract/plan'
import { backboneOf, withClasses } from './backbones/index'
import { type Batch, estimateMemory, memorySavings } from './memory'
import { parseRecipe, type ResolvedRecipe } from './recipe'
import type { Precision } from '../contract/rates'
import { count, totalParameters, type Site } from './sites'
import { createTuning, matches, trainableCount, type SanTuning, type Tuning } from './tuning'
import { stepsPerEpoch } from './train/schedule'

/** What is known of a recipe's backbone and data; null where a choice is missing. */
export interface PlanFacts { shape: Shape | null; classes: number | null; trainImages: number | null; /** what precision `auto` takes on this machine */ faster?: Precision }

/** What a draft would train and cost, and what is wrong with it. Makes no tensor, so it may run on each keystroke. */
export function planRecipe(draft: unknown, facts: PlanFacts): PlanReport {
  const notices: Notice[] = []
  const resolved = attempt(() => parseRecipe(withPlaceholders(draft)), notices)
  if (!resolved || !facts.shape) return emptyPlan(resolved, notices)
  const shape = attempt(() => shapeForRun(facts.shape!, resolved, facts.classes ?? 0), notices)
  if (!shape) return emptyPlan(resolved, notices)
  const sites = backboneOf(shape).sites(shape)
  const { settings, recipe } = resolved
  const tuning = createTuning(sites, settings.method, settings.config, settings.san, settings.sites)
  notices.push(...checks(resolved, tuning, facts))
  const precision = recipe.precision === 'auto' ? recipe.step === 'eager' ? 'float32' : facts.faster ?? 'float32' : recipe.precision
  const estimate = (train: Batch) => estimateMemory(shape, sites, tuning, { precision, eager: recipe.step === 'eager' }, train), memory = estimate(recipe.train)
  const steps = facts.trainImages === null ? null : stepsPerEpoch(facts.trainImages, recipe.train)
  return {
    trainable: trainableReport(tuning),
    parameters: totalParameters(sites),
    memory: { ...memory, lower: recipe.step === 'eager' ? [] : memorySavings(memory.total, recipe.train, estimate) },
    steps: steps === null ? null : { perEpoch: steps, total: steps * recipe.train.epochs },
    san: tuning.san && sanPlan(tuning, tuning.san),
    learningRate: resolved.learningRate,
    notices,
  }
}

/** The shape a run works with: the checkpoint's, with the recipe's image size, pooling and classes. */
export function shapeForRun(shape: Shape, { recipe }: ResolvedRecipe, classes: number): Shape {
  const imageSize = recipe.backbone.imageSize ?? shape.imageSize
  const pool = recipe.backbone.pool === 'auto' ? shape.pool : recipe.backbone.pool
  if (imageSize < shape.patch) {
    throw new AppError('recipe-invalid', `recipe: backbone.imageSize: ${imageSize} is smaller than one patch of ${shape.patch} px; use at least ${shape.patch}.`, { field: 'backbone.imageSize' })
  }
  if (pool !== 'mean' && !shape.classToken) {
    throw new AppError('recipe-invalid', `recipe: backbone.pool: this backbone has no class token, so "${pool}" is not possible; use "mean".`, { field: 'backbone.pool' })
  }
  return withClasses({ ...shape, imageSize, pool }, classes)
}

const text = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A half-filled draft still gets its counts: what is missing is said by the service that knows the lists. */
function withPlaceholders(draft: unknown): unknown {
  if (!text(draft)) return draft
  const from = (part: unknown) => text(part) ? { ...part, from: part.from === undefined || part.from === '' ? '?' : part.from } : { from: '?' }
  return { ...draft, backbone: from(draft.backbone), data: from(draft.data), method: draft.method ?? { type: 'linear-probe' } }
}

function attempt<T>(run: () => T, notices: Notice[]): T | null {
  try {
    return run()
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    notices.push({ level: 'error', field: thrown.field ?? null, message: thrown.message.replace(/^recipe: /, '') })
    return null
  }
}

const emptyPlan = (resolved: ResolvedRecipe | null, notices: Notice[]): PlanReport => ({
  trainable: { total: 0, head: 0, method: 0, sites: [] }, parameters: 0,
  memory: { frozen: 0, trained: 0, activations: 0, workspace: 0, total: 0, lower: [] },
  steps: null, san: null, learningRate: resolved?.learningRate ?? 0, notices,
})

function sanPlan({ sites, selected, method, config }: Tuning, { propagations, refused }: SanTuning): SanPlan {
  const coupling = method.san
  const offers = (site: Site) => !('never' in coupling) && selected.has(site.name) && site.kind === (coupling.sources === 'norm' ? 'norm' : 'linear') && (coupling.gains?.(site, config) ?? true)
  const joined = new Set(propagations.flatMap(p => [...p.from, p.to])), named = (name: string) => sites.find(site => site.name === name)!
  return {
    edges: propagations.flatMap(p => p.from.map(from => ({ from, to: p.to, via: p.via, exact: p.exact, axis: p.axis }))),
    layers: sites.filter(site => joined.has(site.name) || offers(site)).map(site =>
      ({ site: site.name, role: site.role, width: site.out, gain: offers(site) || propagations.some(p => p.from.includes(site.name)) })),
    refused: refused.map(p => ({ from: p.from[0]!, to: p.to, gains: named(p.from[0]!).out, room: p.axis === 'input' ? named(p.to).in : named(p.to).out, axis: p.axis })),
  }
}

function trainableReport(tuning: Tuning): PlanReport['trainable'] {
  const of = (slots: Tuning['slots']) => trainableCount({ slots })
  const head = tuning.slots.filter(s => s.kind === 'head'), method = tuning.slots.filter(s => s.kind !== 'head')
  const trained = tuning.sites.filter(site => tuning.slots.some(s => s.site === site.name))
  return { total: of(tuning.slots), head: of(head), method: of(method), sites: trained.map(site => plannedSite(site, tuning)) }
}

const plannedSite = (site: Site, tuning: Tuning) => ({
  site: site.name, kind: site.kind, shape: [...Object.values(site.tensors)[0]!],
  tensors: tuning.slots.filter(s => s.site === site.name).map(s => ({ name: s.tensor, shape: [...s.shape], count: count(s.shape) })),
  from: [...new Set(tuning.san?.propagations.filter(p => p.to === site.name).flatMap(p => p.from) ?? [])],
})

function checks(resolved: ResolvedRecipe, tuning: Tuning, facts: PlanFacts): Notice[] {
  const { recipe, settings } = resolved
  const notices: Notice[] = []
  const say = (level: Notice['level'], field: string, message: string) => notices.push({ level, field, message })
  for (const pattern of settings.sites) {
    if (pattern !== '*' && !tuning.sites.some(s => matches(s.name, [pattern]))) say('warning', 'method.sites', `${pattern} matched no site.`)
  }
  if (tuning.selected.size === 0 && settings.method.id !== 'linear-probe') say('warning', 'method', `${settings.method.title} finds nothing to adapt in this backbone; only the head is trained.`)
  notices.push(...sanChecks(resolved, tuning))
  if (recipe.train.warmupEpochs > recipe.train.epochs) say('error', 'train.warmupEpochs', `Warm-up of ${recipe.train.warmupEpochs} epochs is longer than the run of ${recipe.train.epochs}; use at most ${recipe.train.epochs}.`)
  if (facts.trainImages !== null && facts.trainImages < recipe.train.batchSize) say('warning', 'train.batchSize', `A batch of ${recipe.train.batchSize} is larger than the ${facts.trainImages} training images; every step sees all of them.`)
  if (facts.classes !== null && facts.classes < 2) say('error', 'data.from', 'The data has fewer than 2 classes; nothing could be learned.')
  return notices
}

function sanChecks({ settings }: ResolvedRecipe, tuning: Tuning): Notice[] {
  if (!tuning.san || 'never' in settings.method.san) return []
  const notices: Notice[] = []
  if (tuning.san.propagations.length === 0) notices.push({ level: 'warning', field: 'method.san', message: 'SAN finds no gain to propagate between the adapted layers; it changes nothing here.' })
  if (tuning.san.refused.length > 0) notices.push({ level: 'warning', field: 'method.san.axis', message: `${tuning.san.refused.length} of SAN's paths fall out: source and target have different widths on this axis.` })
  if (settings.method.san.experimental) notices.push({ level: 'info', field: 'method.san', message: `SAN with ${settings.method.title} is experimental: ${settings.method.san.why}` })
  if (settings.san?.scope === 'sample') notices.push({ level: 'warning', field: 'method.san.scope', message: 'A gain per sample cannot be merged; the run can be evaluated here but not exported as merged weights.' })
  if (settings.san?.preset.startsWith('official') && settings.method.id === 'ssf' && (settings.config.shift !== false || settings.config.norms !== 'tune')) {
    notices.push({ level: 'info', field: 'method.san.preset', message: 'The 2024 code uses SSF without shift and trains the norms\' own weights; set Shift off and Norms to tune for its counts.' })
  }
  return notices
}
