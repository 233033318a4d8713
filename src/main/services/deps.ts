import type { ClassNames } from '../store/classNames'
import type { Workspace } from '../store/paths'
import type { Registry } from '../store/registry'
import type { RunStore } from '../store/runStore'
import type { SettingsStore } from '../store/settings'
import type { Host } from '../worker/host'

/** What the services stand on. */
export interface Deps {
  workspace: Workspace
  resources: string
  version: string
  host: Host
  store: RunStore
  settings: SettingsStore
  backbones: Registry
  datasets: Registry
  classNames: ClassNames
}
