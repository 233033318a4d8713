import type { Settings } from '../contract/system'
import type { Deps } from './deps'

export const createSettings = ({ settings }: Deps) => ({
  get: settings.get,
  /** A field given as undefined is a field not given. */
  set: (change: { [K in keyof Settings]?: Settings[K] | undefined }) =>
    settings.set(Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))),
})
