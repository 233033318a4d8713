import { createHash } from 'node:crypto'
import { z } from 'zod'
import { ErrorValue } from '../contract/errors'
import { Metrics, type RunCard, type RunEvent, type RunLabels, type RunManifest, type RunStatus } from '../contract/run'

const SPARKLINE_POINTS = 40

/** What events.jsonl says of a run so far: plain data, so folding can go on later, and in another process. */
export const RunFacts = z.object({
  step: z.int(), steps: z.int(), epochs: z.int(), metrics: Metrics,
  ended: z.enum(['finished', 'stopped', 'failed']).nullable(),
  error: ErrorValue.nullable(),
  startedAt: z.number(), lastAt: z.number(), activeAt: z.number().describe('of the last event that is no phase: preparing a resume is not training'), earlierSeconds: z.number().describe('time of the sessions before the last resume'),
  imagesPerSecond: z.number(), peakMemory: z.int(), samples: z.record(z.string(), z.int()).default({}),
  losses: z.array(z.object({ sum: z.number(), count: z.int() })),
  scores: z.array(z.object({ step: z.int(), accuracy: z.number().nullable(), best: z.number().nullable() })),
})
export type RunFacts = z.infer<typeof RunFacts>

export const noFacts = (): RunFacts => ({
  step: 0, steps: 0, epochs: 0, metrics: {}, ended: null, error: null, startedAt: 0, lastAt: 0, activeAt: 0, earlierSeconds: 0,
  imagesPerSecond: 0, peakMemory: 0, samples: {}, losses: [], scores: [],
})

type Of<K extends RunEvent['event']> = Extract<RunEvent, { event: K }>

/** Adds events to the facts, in order. `bestMetric` is the recipe's `evaluate.best`. */
export function foldEvents(facts: RunFacts, events: readonly RunEvent[], bestMetric: string): RunFacts {
  for (const event of events) {
    facts.ended = null
    facts.error = null
    if (event.event === 'started') foldStarted(facts, event)
    else if (event.event === 'step') foldStep(facts, event)
    else if (event.event === 'evaluated') foldEvaluated(facts, event, bestMetric)
    else if (event.event === 'finished' || event.event === 'stopped' || event.event === 'failed') foldEnding(facts, event)
    facts.lastAt = event.time
    if (event.event !== 'phase') facts.activeAt = event.time
  }
  return facts
}

/** A start after step 0 is a resume: what came after that step no longer counts. */
function foldStarted(facts: RunFacts, event: Of<'started'>): void {
  if (facts.startedAt > 0) facts.earlierSeconds += (facts.activeAt - facts.startedAt) / 1000
  facts.startedAt = event.time
  facts.step = event.step
  facts.steps = event.steps
  facts.epochs = event.epochs
  facts.losses = facts.losses.slice(0, event.step === 0 ? 0 : bucketOf(event.step, event.steps) + 1)
  facts.scores = facts.scores.filter(({ step }) => event.step > 0 && step <= event.step)
}

const bucketOf = (step: number, steps: number) => Math.floor(Math.max(0, step - 1) / Math.max(1, Math.ceil(steps / SPARKLINE_POINTS)))

function foldStep(facts: RunFacts, event: Of<'step'>): void {
  facts.step = event.step
  facts.metrics['train/loss'] = event.loss
  facts.metrics['train/accuracy'] = event.accuracy
  facts.imagesPerSecond = event.imagesPerSecond
  facts.peakMemory = Math.max(facts.peakMemory, event.memory)
  const at = bucketOf(event.step, facts.steps)
  while (facts.losses.length <= at) facts.losses.push({ sum: 0, count: 0 })
  const bucket = facts.losses[at]!
  bucket.sum += event.loss
  bucket.count++
}

function foldEvaluated(facts: RunFacts, event: Of<'evaluated'>, bestMetric: string): void {
  for (const [name, value] of Object.entries(event.metrics)) facts.metrics[name.includes('/') ? name : `${event.split}/${name}`] = value
  if (event.samples !== undefined) facts.samples[event.split] = event.samples
  if (event.split !== 'validation') return
  const value = (name: string) => event.metrics[name] ?? event.metrics[name.slice(name.indexOf('/') + 1)] ?? null
  facts.scores.push({ step: event.step, accuracy: value('validation/accuracy'), best: event.best ? value(bestMetric) : null })
}

function foldEnding(facts: RunFacts, event: Of<'finished' | 'stopped' | 'failed'>): void {
  facts.ended = event.event
  if (event.event === 'failed') facts.error = event.error
  facts.step = event.step
  Object.assign(facts.metrics, event.metrics)
  if (event.imagesPerSecond > 0) facts.imagesPerSecond = event.imagesPerSecond
  facts.peakMemory = Math.max(facts.peakMemory, event.peakMemory)
}

/** What the folder itself says beside the events. */
export interface RunPlace { folder: string; liveSince: number | null; lastCheckpoint: number | null; waiting: boolean; labels: RunLabels }

/**
 * `running` only while a living process holds the run's lock. A trainer that died (rather than ended with an error of its own)
 * leaves the run interrupted: nothing is wrong with it, it can go on. `waiting` is what the queue says.
 */
export function statusOf(facts: RunFacts, liveSince: number | null, waiting: boolean): RunStatus {
  if (liveSince !== null) {
    if (facts.lastAt < liveSince) return 'queued'
    return facts.ended ?? 'running'
  }
  if (waiting) return 'queued'
  return facts.ended === null || facts.error?.code === 'trainer-died' ? 'interrupted' : facts.ended
}

export function cardOf(manifest: RunManifest, facts: RunFacts, place: RunPlace): RunCard {
  const { recipe } = manifest
  const status = statusOf(facts, place.liveSince, place.waiting)
  const best = facts.scores.findLast(score => score.best !== null)
  const resumable = status === 'stopped' || status === 'interrupted' || status === 'failed'
  return {
    id: manifest.id, name: recipe.name, status, folder: place.folder,
    backbone: recipe.backbone.from, data: recipe.data.from, method: recipe.method.type, san: recipe.method.san !== null, seed: recipe.seed,
    step: facts.step, steps: facts.steps, epochs: facts.epochs || recipe.train.epochs, trainable: manifest.resolved.trainable,
    metrics: facts.metrics, samples: facts.samples, best: best ? { metric: recipe.evaluate.best, value: best.best!, step: best.step } : null,
    createdAt: manifest.createdAt, updatedAt: facts.lastAt || manifest.createdAt,
    seconds: facts.earlierSeconds + (facts.startedAt > 0 ? (facts.activeAt - facts.startedAt) / 1000 : 0),
    imagesPerSecond: facts.imagesPerSecond, peakMemory: facts.peakMemory, error: facts.error,
    resumeStep: resumable ? place.lastCheckpoint ?? 0 : null,
    variant: variantOf(manifest), labels: place.labels, ...curvesOf(facts),
    ...(manifest.origin ? { origin: manifest.origin } : {}),
  }
}

function variantOf({ recipe, origin }: RunManifest): string {
  const { seed: _, ...split } = recipe.data.split
  const { name, seed, ...rest } = recipe
  return createHash('sha256').update(JSON.stringify({ ...rest, data: { ...recipe.data, split }, restart: origin?.restartOf && [origin.restartOf, origin.restartStep] })).digest('base64url').slice(0, 12)
}

/** The two sparklines of a run. */
export const curvesOf = (facts: RunFacts): { losses: number[]; accuracies: number[] } => ({
  losses: facts.losses.filter(({ count }) => count > 0).map(({ sum, count }) => sum / count),
  accuracies: facts.scores.map(({ accuracy }) => accuracy).filter(value => value !== null).slice(-SPARKLINE_POINTS),
})
