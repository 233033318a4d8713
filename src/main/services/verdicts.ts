import type { EvaluationCard, PairVerdict, RunAccuracy, SeedVerdict, VerdictReport } from '../contract/evaluation'
import { differencesOf, isRight, type Judged, pairVerdict } from '../contract/pair'
import type { RunCard, RunDetail, RunManifest } from '../contract/run'
import { excludesZero, pairedBootstrap, seedSentence, wilson } from '../contract/statistics'
import { createRandom } from '../engine/data/random'
import { breather } from '../store/breathe'
import { listEvaluations, readPredictions } from '../store/evaluations'
import { firstDifference } from './compare'

/** A run with the predictions that speak for it. */
export interface Measured { detail: RunDetail; evaluation: Judged | null }

type Breathe = ReturnType<typeof breather>

const SPLITS = ['test', 'validation', 'train'] as const
/** Runs that are compared are compared again and again, with one more or one less. */
const KEPT = 128
const known = new Map<string, Promise<Judged>>()

/** The predictions of a run's best checkpoint on its own data, furthest from training; the newest where the best has none. */
export async function measuredRun(detail: RunDetail): Promise<Measured> {
  const { card, manifest } = detail
  const chosen = representative(listEvaluations(card.folder), card, manifest)
  return { detail, evaluation: chosen ? await judged(card.folder, chosen) : null }
}

function judged(runFolder: string, { id, savedAt }: EvaluationCard): Promise<Judged> {
  const key = `${runFolder} ${id} ${savedAt}`
  const reading = known.get(key) ?? readPredictions(runFolder, id, ({ file, label, top }) => ({ file, label, top: top.slice(0, 1) }))
  known.delete(key)
  known.set(key, reading)
  reading.catch(() => known.delete(key))
  for (const oldest of [...known.keys()].slice(0, -KEPT)) known.delete(oldest)
  return reading
}

function representative(all: readonly EvaluationCard[], card: RunCard, { resolved }: RunManifest): EvaluationCard | undefined {
  const own = all.filter(({ data }) => data.hash === resolved.dataHash || data.path === resolved.dataPath)
  const split = SPLITS.find(name => own.some(one => one.split === name))
  const inSplit = own.filter(one => one.split === split)
  return inSplit.find(({ step }) => step === (card.best?.step ?? card.step)) ?? inSplit[0]
}

/** Accuracies with their intervals, and what can be said of the differences to the baseline. */
export async function verdicts(measured: readonly Measured[], baseline: string): Promise<VerdictReport> {
  const breathe = breather()
  const base = measured.find(({ detail }) => detail.card.id === baseline)!
  const others = measured.filter(one => one !== base)
  const nameOf = namesOf(measured)
  const missing = measured.filter(({ evaluation }) => !evaluation).map(({ detail: { card } }) => ({ run: card.id, reason: `No predictions of ${card.id} are kept; evaluate it in its Evaluation tab or with "engram evaluate --run ${card.id}".` }))
  const pairs: PairVerdict[] = []
  for (const other of others) {
    if (!base.evaluation || !other.evaluation) continue
    await breathe()
    const pair = pairVerdict(other.evaluation, base.evaluation, nameOf)
    if (pair) pairs.push(pair)
    else missing.push({ run: other.detail.card.id, reason: `${other.detail.card.id} and ${baseline} were not measured on the same images.` })
  }
  return { baseline, accuracies: measured.flatMap(({ evaluation }) => evaluation ? [accuracyOf(evaluation)] : []), pairs, seeds: await seedVerdicts(measured, base, breathe), missing }
}

function accuracyOf(evaluation: Judged): RunAccuracy {
  const { run, id, step, split, data, samples } = evaluation
  const right = evaluation.predictions.filter(isRight).length
  return { run, evaluation: id, step, split, data: data.name, samples, right, accuracy: right / samples, interval: wilson(right, samples) }
}

/** A run's name where no other of these has it, else its id. */
function namesOf(measured: readonly Measured[]): (run: string) => string {
  const cards = measured.map(({ detail }) => detail.card)
  return run => {
    const { name } = cards.find(({ id }) => id === run)!
    return cards.filter(card => card.name === name).length === 1 ? name : run
  }
}

/** Runs that differ in nothing but the seed are one group; each group of two seeds or more meets the baseline's. */
async function seedVerdicts(measured: readonly Measured[], base: Measured, breathe: Breathe): Promise<SeedVerdict[]> {
  const groups: Measured[][] = []
  for (const one of measured) {
    const group = groups.find(([first]) => sameButSeed(first!, one))
    if (group) group.push(one)
    else groups.push([one])
  }
  const baseline = groups.find(group => group.includes(base))!
  const found: (SeedVerdict | null)[] = []
  for (const group of groups) if (group !== baseline) found.push(await seedVerdict(group, baseline, breathe))
  return found.filter(verdict => verdict !== null)
}

const sameButSeed = (a: Measured, b: Measured) => firstDifference({ ...a.detail.manifest.recipe, seed: 0 }, { ...b.detail.manifest.recipe, seed: 0 }) === null
  && a.detail.manifest.resolved.backboneHash === b.detail.manifest.resolved.backboneHash && a.detail.manifest.resolved.dataHash === b.detail.manifest.resolved.dataHash

async function seedVerdict(group: readonly Measured[], baseline: readonly Measured[], breathe: Breathe): Promise<SeedVerdict | null> {
  const seedOf = ({ detail }: Measured) => detail.manifest.recipe.seed
  const matched = group.flatMap(run => {
    const partner = baseline.find(one => seedOf(one) === seedOf(run))
    return partner?.evaluation && run.evaluation ? [{ run, partner, differences: differencesOf(run.evaluation, partner.evaluation) }] : []
  })
  const files = [...matched[0]?.differences.keys() ?? []].filter(file => matched.every(({ differences }) => differences.has(file)))
  if (matched.length < 2 || files.length === 0) return null
  const { mean, interval } = await pairedBootstrap(matched.map(({ differences }) => files.map(file => differences.get(file)!)), createRandom(0, 'bootstrap').int, breathe)
  const facts = { run: matched[0]!.run.detail.card.name, baseline: matched[0]!.partner.detail.card.name, seeds: matched.length, difference: mean, interval }
  return {
    runs: matched.map(({ run }) => run.detail.card.id), baseline: matched.map(({ partner }) => partner.detail.card.id), seeds: matched.map(({ run }) => seedOf(run)),
    difference: mean, interval, clear: excludesZero(interval), sentence: seedSentence(facts),
  }
}
