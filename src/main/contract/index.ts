import { z } from 'zod'
import { Ablation } from './ablation'
import { ClassNamesInput } from './classNames'
import { CheckpointCard, EvaluateInput, EvaluateReport, ExportInput, ExportReport, Prediction, PruneInput, PruneReport, PruneRule, RestartInput, TryInput } from './checkpoint'
import { CacheReport, DatasetCard, DuplicateReport, PreviewImage, PreviewInput } from './dataset'
import { EngramReport, RecordInput, SiteVector } from './engram'
import { Evaluation, EvaluationCard, EvaluationId, VerdictInput, VerdictReport } from './evaluation'
import { CatalogueEntry, HubAccount, HubDownload, HubId, HubKind, HubMatch, HubModel, HubToken } from './hub'
import { MethodCatalog } from './method'
import { BackboneCard, InspectReport, TensorCard } from './model'
import { Place, WholePath } from './path'
import { PlanReport } from './plan'
import { JobProgress } from './progress'
import { QueueAdd, QueueMove, QueueState, LaneId } from './queue'
import { CompareReport, LabelInput, RunCard, RunChange, RunDetail, RunEvent, RunId, RunRequest, WatchInput } from './run'
import { FieldInput, FieldValues, RunMatches, RunQuery, Sparkline, SparklineInput } from './runQuery'
import { Diagnostics, DoctorReport, Settings, SettingsChange, SystemStatus } from './system'
import { SweepStart } from './sweep'
import { TrialReport } from './trial'
import { call, feed, type Client } from './wire'

const Path = z.object({ path: WholePath })
const Title = z.string().max(200)
const Id = z.object({ id: z.string().min(1).max(4096) })
const Run = z.object({ run: RunId })
const ofKind = { kind: HubKind.default('model') }
const Hub = z.object({ id: HubId, ...ofKind })
/** A recipe as the wizard holds it: checked in full by the service, which answers with field notices. */
const Draft = z.record(z.string(), z.unknown())

/** Every call and feed between window and main. */
export const contract = {
  catalog: {
    methods: call(z.void(), MethodCatalog),
    recipes: call(z.void(), z.array(z.object({ id: z.string(), title: z.string(), recipe: Draft }))),
    recipeSchema: call(z.void(), z.record(z.string(), z.unknown())),
  },
  models: {
    list: call(z.void(), z.array(BackboneCard)),
    add: call(Path, BackboneCard),
    remove: call(Id, z.void()),
    inspect: call(z.object({ path: Place }), InspectReport),
    tensors: call(z.object({ path: Place }), z.array(TensorCard)),
    cancelTensors: call(z.object({ path: Place }), z.void()),
    tensorsProgress: feed(z.object({ path: Place }), JobProgress),
  },
  hub: {
    catalogue: call(z.void(), z.array(CatalogueEntry)),
    search: call(z.object({ query: z.string().trim().min(1).max(200), ...ofKind }), z.array(HubMatch)),
    info: call(Hub, HubModel),
    download: call(Hub, z.void()),
    pause: call(Hub, z.void()),
    cancel: call(Hub, z.void()),
    account: call(z.void(), HubAccount),
    setToken: call(HubToken, HubAccount),
    downloads: feed(z.void(), z.array(HubDownload)),
  },
  datasets: {
    list: call(z.void(), z.array(DatasetCard)),
    add: call(Path, DatasetCard),
    remove: call(Id, z.void()),
    nameClasses: call(ClassNamesInput, DatasetCard),
    preview: call(PreviewInput, z.array(PreviewImage)),
    duplicates: call(Id, DuplicateReport),
    cache: call(z.void(), CacheReport),
    clearCache: call(z.void(), CacheReport),
    dropCache: call(z.object({ key: z.string().min(1).max(200) }), CacheReport),
  },
  runs: {
    plan: call(Draft, PlanReport),
    planRestart: call(RestartInput, PlanReport),
    start: call(Draft, Run),
    stop: call(Run, z.void()),
    resume: call(Run, z.void()),
    restart: call(RestartInput, Run),
    ask: call(z.object({ run: RunId, what: RunRequest }), z.void()),
    list: call(z.void(), z.array(RunCard)),
    query: call(RunQuery, RunMatches),
    fields: call(z.void(), z.array(z.string())),
    values: call(FieldInput, FieldValues),
    sparklines: call(SparklineInput, z.array(Sparkline)),
    label: call(LabelInput, z.void()),
    show: call(Run, RunDetail),
    compare: call(z.object({ runs: z.array(RunId).min(2) }), CompareReport),
    verdict: call(VerdictInput, VerdictReport),
    remove: call(Run, z.void()),
    watch: feed(WatchInput, RunEvent),
    changes: feed(z.void(), RunChange),
  },
  trial: {
    run: call(Draft, TrialReport),
    cancel: call(z.void(), z.void()),
    progress: feed(z.void(), JobProgress),
  },
  queue: {
    list: call(z.void(), QueueState),
    add: call(QueueAdd, z.object({ runs: z.array(RunId) })),
    move: call(QueueMove, z.void()),
    remove: call(z.object({ runs: z.array(RunId).min(1) }), z.void()),
    pause: call(z.object({ lane: LaneId, paused: z.boolean() }), z.void()),
    sweep: call(SweepStart, z.object({ sweep: z.string(), runs: z.array(RunId) })),
    ablations: call(Run, z.array(Ablation)),
    watch: feed(z.void(), QueueState),
  },
  checkpoints: {
    list: call(Run, z.array(CheckpointCard)),
    all: call(z.void(), z.array(CheckpointCard)),
    pin: call(z.object({ run: RunId, step: z.int().min(0), pinned: z.boolean() }), z.void()),
    preview: call(PruneRule, PruneReport),
    prune: call(PruneInput, PruneReport),
    remove: call(z.object({ run: RunId, step: z.int().min(0) }), z.void()),
  },
  engram: {
    show: call(Run, EngramReport),
    record: call(RecordInput, z.array(SiteVector)),
    compute: call(Run, EngramReport),
  },
  evaluations: {
    list: call(Run, z.array(EvaluationCard)),
    get: call(z.object({ run: RunId, id: EvaluationId }), Evaluation),
    run: call(EvaluateInput, EvaluateReport),
    cancel: call(Run, z.void()),
    predict: call(TryInput, z.array(Prediction)),
    progress: feed(Run, JobProgress),
  },
  exports: {
    create: call(ExportInput, ExportReport),
    list: call(Run, z.array(ExportReport)),
  },
  settings: {
    get: call(z.void(), Settings),
    set: call(SettingsChange, Settings),
  },
  system: {
    doctor: call(z.void(), DoctorReport),
    diagnostics: call(z.void(), Diagnostics),
    status: feed(z.void(), SystemStatus),
    chooseFolder: call(z.object({ title: Title }), z.string().nullable()),
    chooseFile: call(z.object({ title: Title, extensions: z.array(z.string().regex(/^[a-z0-9-]{1,20}$/, 'is not an extension')).max(40) }), z.string().nullable()),
    reveal: call(Path, z.void()),
  },
} as const

export type Api = Client<typeof contract>
