import type { Recipe } from '@contract/recipe'
import type { RunCard, RunEvent, RunManifest, RunStatus } from '@contract/run'

/** Invented runs with believable curves; seeded, so that pictures repeat. */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6D2B79F5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
const now = Date.now()
const minute = 60_000

type Row = [name: string, status: RunStatus, method: string, san: boolean, backbone: string, trainable: number, best: number, minutesAgo: number, seconds: number, steps: number]
const rows: Row[] = [
  ['eurosat-dinos-san-ssf', 'running', 'ssf', true, 'DINOv2-S/14', 106762, 0.942, 4, 208, 2500],
  ['eurosat-dinos-san-ssf-s1', 'finished', 'ssf', true, 'DINOv2-S/14', 106762, 0.94, 130, 312, 2500],
  ['eurosat-dinos-san-dora8', 'finished', 'dora', true, 'DINOv2-S/14', 160522, 0.937, 140, 400, 2500],
  ['eurosat-dinos-ssf', 'finished', 'ssf', false, 'DINOv2-S/14', 106762, 0.931, 180, 303, 2500],
  ['eurosat-dinos-lora8', 'finished', 'lora', false, 'DINOv2-S/14', 151306, 0.928, 190, 344, 2500],
  ['eurosat-dinos-full', 'finished', 'full', false, 'DINOv2-S/14', 22060426, 0.912, 1500, 868, 2500],
  ['eurosat-dinos-san-ssf-fn', 'interrupted', 'ssf', true, 'DINOv2-S/14', 106762, 0.906, 1510, 150, 2500],
  ['eurosat-dinos-lora8-lr2e-2', 'stopped', 'lora', false, 'DINOv2-S/14', 151306, 0.893, 185, 130, 2500],
  ['eurosat-dinos-probe', 'finished', 'linear-probe', false, 'DINOv2-S/14', 3850, 0.884, 1520, 22, 2500],
  ['eurosat-tiny-san-ssf', 'finished', 'ssf', true, 'sample-vit-tiny', 21514, 0.869, 1600, 62, 600],
  ['eurosat-vitb-full', 'failed', 'full', false, 'ViT-B/16', 85806346, 0.714, 1700, 250, 2500],
]

const stepsDone = (row: Row) => ({ running: 1640, interrupted: 1230, stopped: 980, failed: 640, queued: 0, finished: row[9] })[row[1]]

export function card(row: Row, step = stepsDone(row)): RunCard {
  const [name, status, method, san, backbone, trainable, best, minutesAgo, seconds, steps] = row
  const next = random(name.length * 7 + steps)
  const curve = (end: number, start: number, rate: number) => Array.from({ length: 36 }, (_, i) => end + (start - end) * Math.exp(-rate * (i + 1)) + (next() - 0.5) * 0.02)
  return {
    id: name, name, status, folder: `/home/kim/engram/runs/${name}`, backbone, data: 'eurosat-1k', method, san, seed: 0, step, steps, epochs: 100, trainable,
    metrics: { 'train/loss': 0.118, 'train/accuracy': 0.979, 'validation/accuracy': best - 0.004, 'validation/loss': 0.21, ...(status === 'finished' ? { 'test/accuracy': best - 0.006 } : {}) },
    best: { metric: 'validation/accuracy', value: best, step: Math.round(steps * 0.54) }, createdAt: now - minutesAgo * minute, updatedAt: now, seconds, imagesPerSecond: 300, peakMemory: 3.1e9,
    error: status === 'failed' ? { code: 'out-of-memory', message: 'Out of memory on GPU 0 at step 640 (needed 9.1 GB of 8.0). Batch size 16 needs about 5.4 GB.' } : null,
    resumeStep: status === 'interrupted' ? 1200 : status === 'stopped' ? 980 : status === 'failed' ? 600 : null, labels: { favourite: false, archived: false, tags: [], note: '', pins: {} }, losses: curve(0.12, 2.3, 0.13), accuracies: curve(best, 0.25, 0.16),
  }
}
export const cards = () => rows.map(row => card(row))

export function manifest(run: RunCard, recipe: Recipe): RunManifest {
  return {
    format: 1, id: run.id, createdAt: run.createdAt, recipe,
    resolved: { backbonePath: '/home/kim/models/dinov2-small', backboneHash: 'sha256:5f1c…', dataPath: '/home/kim/data/eurosat-1k.zip', dataHash: 'sha256:99ab…', classes: ['AnnualCrop', 'Forest'], trainable: run.trainable, learningRate: 0.005 },
    versions: { engram: '0.1.0', tensorflow: '2.9.1', node: '20.19' },
  }
}

const perEpoch = 25
/** A run's whole story up to a step; what a `watch` would replay. */
export function story(run: RunCard): RunEvent[] {
  const events: RunEvent[] = []
  const next = random(5)
  let seq = 0
  const start = now - run.seconds * 1000 - 6000
  const at = (step: number) => ({ seq: seq++, time: start + 6000 + step / Math.max(1, run.step) * run.seconds * 1000 })
  events.push({ seq: seq++, time: start, event: 'started', run: run.id, folder: run.folder, step: 0, steps: run.steps, stepsPerEpoch: perEpoch, epochs: run.steps / perEpoch, device: 'GPU 0 (RTX 4060)', pid: 4711 })
  events.push({ seq: seq++, time: start + 500, event: 'phase', phase: 'prepare', done: null, total: null, message: 'opening the backbone' })
  events.push({ seq: seq++, time: start + 2500, event: 'phase', phase: 'data', done: 1000, total: 1000, message: 'decoding images' })
  events.push({ seq: seq++, time: start + 6000, event: 'phase', phase: 'train', done: null, total: null, message: '' })
  for (let step = 1; step <= run.step; step++) events.push(...stepEvents(run, step, next, at))
  if (run.status !== 'running') events.push(ending(run, at))
  return events
}

export function stepEvents(run: RunCard, step: number, next: () => number, at: (step: number) => { seq: number; time: number }): RunEvent[] {
  const spike = step > 880 && step < 910 ? 1 : 0
  const noise = () => Math.abs(next() + next() + next() - 1.5)
  const warm = 250
  const rate = step < warm ? 0.005 * step / warm : 0.0025 * (1 + Math.cos(Math.PI * (step - warm) / (run.steps - warm)))
  const epoch = step / perEpoch
  const events: RunEvent[] = [{
    ...at(step), event: 'step', step, epoch, loss: 0.075 + 2.2 * Math.exp(-step / 130) + 0.22 * Math.exp(-step / 700) + noise() * (0.06 + 0.2 * Math.exp(-step / 400)) + spike * 0.35,
    accuracy: Math.min(1, 0.985 - 0.85 * Math.exp(-step / 120) - 0.1 * Math.exp(-step / 700) + (next() - 0.5) * 0.05), learningRate: rate,
    gradientNorm: 0.28 + 1.9 * Math.exp(-step / 160) + noise() * 0.15 + (step === 892 ? 2.4 : 0), imagesPerSecond: step < 4 ? 90 + step * 50 : 300 + (next() - 0.5) * 14 - (step % 200 < 4 ? 40 : 0), memory: step < 3 ? 1.4e9 : 3.06e9,
  }]
  if (step % perEpoch === 0) {
    const accuracy = step === 1350 ? 0.942 : Math.min(0.94, 0.9375 - 0.7 * Math.exp(-step / 120) - 0.085 * Math.exp(-step / 620) + (next() - 0.5) * 0.009)
    events.push({ ...at(step), event: 'evaluated', step, epoch, split: 'validation', metrics: { 'validation/accuracy': accuracy, 'validation/loss': 0.19 + 1.9 * Math.exp(-step / 140) + 0.19 * Math.exp(-step / 650) + next() * 0.02 }, best: step === 1350 })
  }
  if (step === 1350 || (step % 100 === 0 && step > run.step - 300)) events.push({ ...at(step), event: 'checkpoint', step, path: `${run.folder}/checkpoints/${step}`, best: step === 1350, sizeBytes: 1_281_144, removed: [] })
  if (step === 892) events.push({ ...at(step), event: 'notice', level: 'warning', message: 'Gradient norm 2.9 at step 892, 8 × its mean.' })
  return events
}

function ending(run: RunCard, at: (step: number) => { seq: number; time: number }): RunEvent {
  const end = { run: run.id, step: run.step, metrics: run.metrics, seconds: run.seconds, imagesPerSecond: 300, peakMemory: run.peakMemory }
  if (run.status === 'failed' && run.error) return { ...at(run.step), event: 'failed', ...end, error: run.error }
  return { ...at(run.step), event: run.status === 'finished' ? 'finished' : 'stopped', ...end }
}
