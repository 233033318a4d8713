import { existsSync } from 'node:fs'
import type { Contract, Handlers } from '../contract/wire'
import type { contract } from '../contract/index'
import { openClassNames } from '../store/classNames'
import { openWorkspace } from '../store/paths'
import { openRegistry } from '../store/registry'
import { openRunStore } from '../store/runStore'
import { openSettings } from '../store/settings'
import { createHost, type Fork } from '../worker/host'
import { createAblations } from './ablations'
import { createCatalog } from './catalog'
import { createCheckpoints } from './checkpoints'
import { createDiagnostics } from './diagnostics'
import { createDatasets } from './datasets'
import type { Deps } from './deps'
import { createEngram } from './engram'
import { createEvaluations } from './evaluations'
import { createExports } from './exports'
import { createHub, type HubOptions } from './hub'
import { createImages } from './images'
import { isKnown } from './known'
import { createModels } from './models'
import { createLanes, findLanes, type Lane } from './lanes'
import { createPlanning } from './planning'
import { createQueue } from './queue'
import { createRuns } from './runs'
import { createSettings } from './settings'
import { createSweeps } from './sweeps'
import { createSystem } from './system'
import { createTensors } from './tensors'
import { createTools } from './tools'
import { createTrainings } from './trainings'
import { createTrial } from './trial'

/** What only a program with a window can do; the window's handlers add it. */
type WindowOnly = 'chooseFolder' | 'chooseFile' | 'reveal'
type Served<C extends Contract> = { [G in keyof C]: G extends 'system' ? Omit<Handlers<C>[G], WindowOnly> : Handlers<C>[G] }

export interface ServicesOptions { workspace: string; resources: string; version: string; fork: Fork; lanes?: () => Promise<Lane[]>; hub?: HubOptions }

/** Everything that the window and the command line do, over one workspace. */
export function createServices({ workspace: root, resources, version, fork, lanes, hub: hubOptions }: ServicesOptions) {
  const workspace = openWorkspace(root)
  const deps: Deps = {
    workspace, resources, version, host: createHost(fork), store: openRunStore(workspace), settings: openSettings(workspace.settings),
    backbones: openRegistry(workspace.backbones), datasets: openRegistry(workspace.datasets), classNames: openClassNames(workspace.classNames, resources),
  }
  const models = createModels(deps)
  const hub = createHub(deps, hubOptions)
  const datasets = createDatasets(deps)
  const planning = createPlanning(deps, models, datasets)
  const trainings = createTrainings(deps)
  const devices = createLanes(deps, lanes ?? findLanes)
  const queue = createQueue(deps, planning, trainings, devices)
  const sweeps = createSweeps(deps, queue)
  const runs = createRuns(deps, planning, trainings, queue, devices)
  const system = createSystem(deps)
  const services = {
    catalog: createCatalog(deps), models: { ...models, ...createTensors(deps, devices) }, hub, datasets, runs, queue: { ...queue, sweep: sweeps.start, ablations: createAblations(deps, planning) }, checkpoints: createCheckpoints(deps), engram: createEngram(deps, devices), exports: createExports(deps, devices),
    evaluations: createEvaluations(deps, devices), trial: createTrial(deps, planning, devices),
    settings: createSettings(deps), system: { ...system, diagnostics: createDiagnostics(deps, system.doctor) },
  } satisfies Served<typeof contract>
  return {
    ...services, images: createImages(deps), workspace, tools: createTools(deps), exists: existsSync, isKnown: (path: string) => isKnown(deps, path),
    /** Goes on with what waited when the program last ended; `held`: when a person says so. */
    async goOn(held: boolean): Promise<void> {
      await queue.open(held)
      await sweeps.open()
    },
    /** Stops trainings gracefully, then lets go of the workspace. */
    async close(): Promise<void> {
      queue.close()
      await hub.close()
      await runs.stopAll()
      deps.store.close()
    },
  }
}
export type Services = ReturnType<typeof createServices>
export { nodeFork, utilityFork } from '../worker/host'
export type { TrainerOptions } from '../worker/host'
