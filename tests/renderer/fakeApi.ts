import type { CheckpointCard, ExportReport } from '@contract/checkpoint'
import type { DatasetCard } from '@contract/dataset'
import type { Api } from '@contract/index'
import type { BackboneCard, InspectReport, VitShape } from '@contract/model'
import { Recipe } from '@contract/recipe'
import type { RunCard, RunChange } from '@contract/run'
import { Settings } from '@contract/system'
import { ablationsOf } from '../../src/main/engine/ablations'
import { backboneOf } from '../../src/main/engine/backbones/index'
import { jsonSchema, methodCatalog } from '../../src/main/engine/catalog'
import { planRecipe } from '../../src/main/engine/plan'
import { edgeCards, siteCards } from '../../src/main/engine/sites'
import { fakeEngram } from './fakeEngram'
import { cards, manifest, random, stepEvents, story } from './fakeRuns'

const shape: VitShape = {
  family: 'vit', imageSize: 224, patch: 14, width: 384, depth: 12, heads: 6, mlp: 1536, gatedMlp: false, classToken: true, distillationToken: false, registers: 0, positionsOnPrefix: true, positionGrid: 37,
  positionInterpolation: 'dinov2', qkvBias: true, layerScale: true, preNorm: false, finalNorm: true, poolNorm: false, pool: 'cls', activation: 'gelu', epsilon: 1e-6, headBias: true, distillationHead: false, classes: 0,
}
const classes = ['AnnualCrop', 'Forest', 'HerbaceousVegetation', 'Highway', 'Industrial', 'Pasture', 'PermanentCrop', 'Residential', 'River', 'SeaLake']
const backbones: BackboneCard[] = [
  { id: 'sample-vit-tiny', name: 'sample-vit-tiny', path: '/opt/engram/resources/vit-tiny', source: 'sample', summary: '6 blocks, width 192', parameters: 2_680_000, imageSize: 64, licence: 'Apache-2.0', problem: null },
  { id: 'dinov2-small', name: 'DINOv2-S/14', path: '/home/kim/models/dinov2-small', source: 'added', summary: '12 blocks, width 384', parameters: 22_056_576, imageSize: 224, licence: 'Apache-2.0', problem: null },
]
const datasets: DatasetCard[] = [
  { id: 'eurosat-1k', name: 'eurosat-1k', path: '/opt/engram/resources/eurosat-1k.zip', kind: 'zip', source: 'sample', classes, names: classes, splits: { train: 1000, test: 2000 }, counts: { train: classes.map((_, i) => 100 - i * 4), test: classes.map(() => 200) }, broken: [], licence: 'MIT', cacheBytes: 151_000_000, problem: null },
  { id: 'flowers', name: 'flowers', path: '/home/kim/data/flowers', kind: 'folder', source: 'added', classes: ['daisy', 'rose', 'tulip'], names: ['daisy', 'rose', 'tulip'], splits: { train: 3000 }, counts: { train: [1400, 1100, 500] }, broken: Array.from({ length: 14 }, (_, i) => ({ file: `rose/${1200 + i * 17}.jpg`, reason: i < 12 ? 'truncated' : 'not an image' })), licence: null, cacheBytes: 0, problem: null },
]
const recipe = Recipe.parse({ name: 'eurosat-dinos-san-ssf', backbone: { from: 'dinov2-small' }, data: { from: 'eurosat-1k' }, method: { type: 'ssf', init: 'identity', san: { preset: 'paper-locational' } }, train: { epochs: 100, warmupEpochs: 10, learningRate: 0.005, augment: 'flip' } })
const noop = () => undefined
const checkpointsOf = ({ id: run, step: reached }: RunCard): CheckpointCard[] => reached < 300 ? [] : [1600, 1500, 1350, 900].map((step, i) => ({ run, step, epoch: step / 25, path: `/x/${step}`, sizeBytes: 1_281_144, savedAt: Date.now() - i * 90_000, best: step === 1350, last: i === 0, pinned: step === 900, metrics: { 'validation/accuracy': [0.939, 0.937, 0.942, 0.928][i] ?? 0, 'validation/loss': 0.21 } }))

function image(i: number): string {
  const hue = i * 37 % 360
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="hsl(${hue} 25% 38%)"/><path d="M0 ${20 + i * 3}L64 ${8 + i * 4}V64H0Z" fill="hsl(${hue + 30} 30% 52%)"/></svg>`)}`
}

/** A whole back end in memory, for component tests and for the harness in a plain browser. Plans and schemas are the real ones. */
export function createFakeApi({ empty = false, tickMs = 120 }: { empty?: boolean; tickMs?: number } = {}): Api {
  let runs: RunCard[] = empty ? [] : cards()
  let settings: Settings = Settings.parse({ smoothing: 0.93 })
  const find = (id: string) => { const run = runs.find(one => one.id === id); if (!run) throw new Error(`No run ${id}`); return run }
  const listeners = new Set<(events: RunChange[]) => void>()
  const tell = (run: RunCard) => { runs = runs.map(one => one.id === run.id ? run : one); for (const on of listeners) on([{ change: 'card', card: run }]) }
  const exported: ExportReport[] = []
  const hasGains = (run: string) => find(run).method === 'ssf' && find(run).status !== 'stopped'

  const plan = (draft: Record<string, unknown>) => {
    const data = datasets.find(one => one.id === (draft['data'] as { from?: string } | undefined)?.from)
    const known = (draft['backbone'] as { from?: string } | undefined)?.from
    return Promise.resolve(planRecipe(draft, { shape: known ? shape : null, classes: data?.classes.length ?? null, trainImages: data ? 800 : null }))
  }

  return {
    catalog: {
      methods: () => Promise.resolve(methodCatalog()),
      recipes: () => Promise.resolve([{ id: 'quickstart', title: 'Quickstart', recipe: { backbone: { from: 'sample-vit-tiny' }, data: { from: 'eurosat-1k' }, method: { type: 'ssf', san: {} } } }]),
      recipeSchema: () => Promise.resolve(jsonSchema(Recipe)),
    },
    models: {
      list: () => Promise.resolve(backbones), add: () => Promise.reject(new Error('No folder in the harness')), remove: () => Promise.resolve(),
      inspect: ({ path }): Promise<InspectReport> => { const sites = backboneOf(shape).sites(shape); return Promise.resolve({ path, name: 'DINOv2-S/14', format: 'transformers', architecture: 'Dinov2Model', shape, parameters: 22_056_576, dtype: 'float32', sizeBytes: 88_250_000, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], sites: siteCards(sites), edges: edgeCards(sites), unused: ['embeddings.mask_token'] }) },
      tensors: () => Promise.resolve([{ name: 'embeddings.cls_token', dtype: 'F32', shape: [1, 1, 384], mean: 0.002, std: 0.31, min: -1.2, max: 1.4, zeros: 0, notFinite: 0 }]), cancelTensors: () => Promise.resolve(), tensorsProgress: () => noop,
    },
    trial: { run: () => Promise.resolve({ device: 'GPU 0', precision: 'bfloat16', prepareSeconds: 4.1, steps: [{ loss: 2.318, seconds: 0.9 }, { loss: 2.296, seconds: 0.107 }], peakMemory: 3_060_000_000 }), cancel: () => Promise.resolve(), progress: () => noop },
    hub: {
      catalogue: () => Promise.resolve([{ id: 'facebook/dinov2-base', title: 'DINOv2-B/14', about: 'Self-supervised', parameters: 86_579_712, supported: true }]),
      search: ({ query }) => Promise.resolve([{ id: `someone/${query}`, downloads: 1200, gated: false }]),
      info: ({ id }) => Promise.resolve({ id, revision: 'main', licence: 'apache-2.0', gated: false, files: [{ name: 'model.safetensors', sizeBytes: 346_000_000, sha256: null }], sizeBytes: 346_000_000, address: `https://huggingface.co/${id}`, problem: null }),
      download: () => Promise.resolve(), pause: () => Promise.resolve(), cancel: () => Promise.resolve(),
      account: () => Promise.resolve({ endpoint: 'https://huggingface.co', token: 'none', keychain: true }), setToken: () => Promise.resolve({ endpoint: 'https://huggingface.co', token: 'keychain', keychain: true }),
      downloads: () => noop,
    },
    datasets: {
      list: () => Promise.resolve(datasets), add: () => Promise.reject(new Error('No folder in the harness')), remove: () => Promise.resolve(),
      preview: ({ count = 12 }) => Promise.resolve(Array.from({ length: count }, (_, i) => ({ file: `${i}.jpg`, label: classes[i % classes.length] ?? '', src: image(i) }))),
      nameClasses: ({ id, names }) => Promise.resolve({ ...datasets.find(one => one.id === id)!, names }),
      duplicates: () => Promise.resolve({ images: 3000, groups: 0, across: 0, relabelled: 0, shown: [] }),
      cache: () => Promise.resolve({ bytes: 151_000_000, limitBytes: 2e10, entries: [{ key: 'a', name: 'eurosat-1k at 224 px', bytes: 151_000_000, usedAt: Date.now() - 3e6 }] }),
      dropCache: () => Promise.resolve({ bytes: 0, limitBytes: 2e10, entries: [] }),
      clearCache: () => Promise.resolve({ bytes: 0, limitBytes: 2e10, entries: [] }),
    },
    runs: {
      plan, planRestart: ({ recipe: draft }) => plan(draft ?? recipe),
      start: () => Promise.resolve({ run: runs[0]?.id ?? '' }),
      ask: () => Promise.resolve(),
      restart: () => Promise.resolve({ run: runs[0]?.id ?? '' }),
      stop: ({ run }) => { tell({ ...find(run), status: 'stopped', resumeStep: find(run).step }); return Promise.resolve() },
      resume: ({ run }) => { tell({ ...find(run), status: 'running', resumeStep: null }); return Promise.resolve() },
      list: () => Promise.resolve(runs),
      query: () => Promise.resolve({ total: runs.length, groups: [{ value: null, runs: runs.map(run => run.id), best: null }] }),
      fields: () => Promise.resolve(['method.type', 'train.epochs']),
      values: () => Promise.resolve([]),
      sparklines: ({ runs: ids }) => Promise.resolve(ids.map(id => ({ run: id, losses: find(id).losses, accuracies: find(id).accuracies ?? [] }))),
      label: () => Promise.resolve(),
      show: ({ run }) => { const card = find(run); return Promise.resolve({ card, manifest: manifest(card, recipe) }) },
      compare: ({ runs: ids }) => Promise.resolve({ runs: ids.map(find), shared: [{ field: 'train.epochs', value: 100 }], differences: [{ field: 'method.type', values: ids.map(id => find(id).method) }, { field: 'method.san.preset', values: ids.map(id => find(id).san ? 'paper-locational' : null) }, { field: 'train.learningRate', values: ids.map((_, i) => [0.005, 0.001, 0.01][i % 3]) }] }),
      verdict: ({ runs: ids }) => Promise.resolve({ baseline: ids[0]!, accuracies: [], pairs: [], seeds: [], missing: ids.map(run => ({ run, reason: `No predictions of ${run} are kept.` })) }),
      remove: ({ run }) => { runs = runs.filter(one => one.id !== run); return Promise.resolve() },
      watch: ({ run }, on) => {
        const card = find(run)
        const events = story(card)
        setTimeout(() => on(events), 0)
        if (card.status !== 'running') return noop
        let step = card.step
        let seq = events.length
        const next = random(9)
        const timer = setInterval(() => { step += 1; on(stepEvents(card, step, next, () => ({ seq: seq++, time: Date.now() }))) }, tickMs)
        return () => clearInterval(timer)
      },
      changes: (_, on) => {
        listeners.add(on)
        on([...runs.map(card => ({ change: 'card' as const, card })), { change: 'unread', runs: 0 }])
        return () => listeners.delete(on)
      },
    },
    queue: {
      list: () => Promise.resolve({ lanes: [{ id: 'cpu', device: 'CPU', paused: false, why: null, running: null, elsewhere: null, waiting: [] }], next: 'cpu' }),
      add: ({ recipes }) => Promise.resolve({ runs: runs.slice(0, recipes.length).map(({ id }) => id) }),
      move: () => Promise.resolve(), remove: () => Promise.resolve(), pause: () => Promise.resolve(), watch: () => noop,
      sweep: () => Promise.resolve({ sweep: 'sweep-1', runs: runs.slice(0, 4).map(({ id }) => id) }), ablations: () => Promise.resolve(ablationsOf(recipe, { method: 102912, perRank: 82944 })),
    },
    checkpoints: {
      list: ({ run }) => Promise.resolve(checkpointsOf(find(run))),
      all: () => Promise.resolve(runs.flatMap(checkpointsOf)),
      pin: () => Promise.resolve(),
      preview: () => { const all = runs.flatMap(checkpointsOf), going = all.filter(({ best, last }) => !best && !last); return Promise.resolve({ going, goingBytes: going.length * 1_281_144, kept: all.length - going.length, keptBytes: (all.length - going.length) * 1_281_144, busy: [] }) },
      prune: () => Promise.reject(new Error('Nothing is deleted in the harness')),
      remove: () => Promise.resolve(),
    },
    engram: {
      show: ({ run }) => Promise.resolve(hasGains(run) ? fakeEngram(shape, find(run).step, run.length).report() : { map: null, records: [], checkpoints: [900] }),
      record: ({ run, step }) => Promise.resolve(fakeEngram(shape, find(run).step, run.length).vectors(step)),
      compute: ({ run }) => Promise.resolve(fakeEngram(shape, find(run).step, run.length).report()),
    },
    evaluations: { list: () => Promise.resolve([]), get: () => Promise.reject(new Error('No predictions in the harness')), run: () => Promise.reject(new Error('No trainer in the harness')), cancel: () => Promise.resolve(), predict: () => Promise.reject(new Error('No trainer in the harness')), progress: () => noop },
    exports: {
      create: ({ run, as, out }) => {
        const report: ExportReport = { run, step: 1350, as, format: as === 'merged' ? 'transformers' : 'peft', folder: out, files: ['config.json', 'model.safetensors', 'verification.json'], sizeBytes: 88_300_000, python: 'from transformers import AutoModelForImageClassification\n\nmodel = AutoModelForImageClassification.from_pretrained("merged-step-001350")', verification: { passed: true, samples: 64, split: 'validation', tolerance: 1e-3, maxDifference: 3.8e-6, meanDifference: 4.1e-7, relativeDifference: 4.6e-7, top1Agreement: 1, differsFromBase: 4.2, sentence: 'The exported files give the same answers as the run: on 64 validation images every top class agrees and no logit differs by more than 0.0000038.' } }
        exported.push(report)
        return new Promise(done => { setTimeout(() => done(report), 400) })
      },
      list: () => Promise.resolve(exported),
    },
    settings: { get: () => Promise.resolve(settings), set: change => { settings = { ...settings, ...change } as Settings; return Promise.resolve(settings) } },
    system: {
      diagnostics: async () => ({ name: 'engram-diagnostics.txt', text: 'Engram 0.1.0' }),
      doctor: () => Promise.resolve({ ok: true, workspace: '/home/kim/engram', checks: [{ id: 'runtime', title: 'TensorFlow', state: 'ok', detail: '2.9.1, loaded in a trainer in 1.2 s', mend: null }, { id: 'gpu', title: 'GPU', state: 'warning', detail: 'An NVIDIA card is there, but the CUDA libraries are not.', mend: 'npm run engram -- doctor --mend gpu' }, { id: 'disk', title: 'Disk', state: 'ok', detail: '41 GB free in /home/kim/engram', mend: null }] }),
      status: (_, on) => { const say = () => on([{ device: 'GPU 0 · RTX 4060', memoryUsed: 0.9e9, memoryTotal: 8e9, diskFree: 41e9, version: '0.1.0', workspace: '/home/kim/engram' }]); say(); const timer = setInterval(say, 1000); return () => clearInterval(timer) },
      chooseFolder: () => Promise.resolve(null), chooseFile: () => Promise.resolve(null), reveal: () => Promise.resolve(),
    },
  }
}
