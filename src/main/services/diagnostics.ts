import { existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import type { RunCard, RunManifest } from '../contract/run'
import type { Diagnostics, DoctorReport } from '../contract/system'
import { readEvents } from '../store/eventLog'
import { trainerLog } from '../store/runFolder'
import type { Deps } from './deps'
import { listHoldings } from './library'
import { type Mask, redact } from './redact'

const LINES = 60

/** What somebody who helps needs to know, as text a person can read before sending it; without paths, names of runs, data or people. */
export function createDiagnostics(deps: Deps, doctor: () => Promise<DoctorReport>) {
  return async (): Promise<Diagnostics> => {
    const runs = await deps.store.latest()
    const run = runs.find(({ status }) => status === 'failed' || status === 'interrupted') ?? runs[0]
    const sections = [versions(deps), ...(await doctor()).checks.map(({ title, state, detail }) => `${title}: ${state}, ${detail}`), '', settings(deps), '', counts(runs), ...run ? aboutRun(deps, run) : []]
    return { name: `engram-diagnostics-${new Date().toISOString().slice(0, 10)}.txt`, text: `${redact(sections.join('\n'), masksOf(deps, runs, run))}\n` }
  }
}

const versions = ({ version }: Deps) =>
  `Engram ${version}, Node ${process.versions.node}, Electron ${process.versions['electron'] ?? 'none'}, ${process.platform} ${release()} ${process.arch}`

function settings({ settings: store }: Deps): string {
  const { runViews, ...rest } = store.get()
  return `Settings: ${JSON.stringify({ ...rest, runViews: runViews.length })}`
}

function counts(runs: readonly RunCard[]): string {
  const by = new Map<string, number>()
  for (const { status } of runs) by.set(status, (by.get(status) ?? 0) + 1)
  return `Runs: ${[...by].map(([status, number]) => `${number} ${status}`).join(', ') || 'none'}`
}

function aboutRun({ store }: Deps, card: RunCard): string[] {
  const { recipe, versions: at } = store.manifest(card.id)
  const { name: _, ...rest } = recipe
  const events = readEvents(card.folder).slice(-LINES).map(event => JSON.stringify(event))
  const error = card.error ? `${card.error.code}: ${card.error.message}` : 'none'
  return ['', `Run: ${card.status} at step ${card.step} of ${card.steps}, error ${error}`, `Versions then: ${JSON.stringify(at)}`, `Recipe: ${JSON.stringify(rest)}`, 'Last events:', ...events, 'Last lines of the trainer:', ...lastLines(trainerLog(card.folder))]
}

const lastLines = (file: string): string[] => existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LINES) : ['none']

function masksOf(deps: Deps, runs: readonly RunCard[], shown: RunCard | undefined): Mask[] {
  const held = [...listHoldings(deps, 'backbones'), ...listHoldings(deps, 'data')].filter(({ source }) => source === 'added')
  return [
    { text: deps.workspace.root, word: '[workspace]' }, { text: deps.resources, word: '[resources]' }, { text: process.cwd(), word: '[here]' },
    ...held.flatMap(({ id, path }) => [{ text: path, word: '[added]' }, { text: id, word: '[added]' }]),
    ...runs.flatMap(run => [{ text: run.id, word: '[run]' }, { text: run.name, word: '[run]' }]),
    ...shown ? placesOf(deps.store.manifest(shown.id)) : [],
  ]
}

const placesOf = ({ recipe, resolved }: RunManifest): Mask[] => [
  { text: resolved.backbonePath, word: '[backbone]' }, { text: resolved.dataPath, word: '[data]' },
  ...[recipe.backbone.from, recipe.data.from].filter(from => /[\\/]/.test(from)).map(text => ({ text, word: '[path]' })),
  ...[...resolved.classes, ...resolved.names ?? []].map(text => ({ text, word: '[class]' })),
]
