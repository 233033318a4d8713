// What the doors (start, test, engram) and other scripts call: each makes one thing right and is quick when it is.

export { ensureDependencies } from './dependencies.mjs'
export { ensureRuntime } from './nativeRuntime.mjs'
export { ensureElectron } from './electron.mjs'
export { ensureBuild } from './build.mjs'
