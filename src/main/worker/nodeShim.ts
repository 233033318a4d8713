// Node 23 removed the type tests of `util` that were deprecated since Node 4; tfjs-node 4.22, the last release, still
// calls two of them (isNullOrUndefined, isArray). Import this before the native package.
import util from 'node:util'

Object.assign(util, {
  isArray: Array.isArray,
  isNullOrUndefined: (value: unknown) => value === null || value === undefined,
})
