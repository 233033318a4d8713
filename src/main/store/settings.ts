import { Settings } from '../contract/system'
import { writeJsonAtomic } from './atomic'
import { readJson } from './jsonFile'

export interface SettingsStore { get(): Settings; set(change: Partial<Settings>): Settings }

export function openSettings(file: string): SettingsStore {
  const get = () => readJson(file, Settings, () => Settings.parse({}))
  return {
    get,
    set(change) {
      const next = Settings.parse({ ...get(), ...change })
      writeJsonAtomic(file, next)
      return next
    },
  }
}
