#!/usr/bin/env node
// The command line's door: makes sure that everything is there, then becomes the built command line.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureBuild, ensureDependencies, ensureRuntime } from '../scripts/ensure.mjs'
import { runMain } from '../scripts/log.mjs'
import { root } from '../scripts/paths.mjs'

// TensorFlow's own log would mix with the messages of the command; the trainer inherits this.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'

await runMain(async () => {
  // An installed package has its packages and its build; only a checkout makes them.
  if (existsSync(join(root, 'src'))) {
    await ensureDependencies()
    await ensureRuntime()
    await ensureBuild()
  }
})
await import(pathToFileURL(join(root, 'out/main/cli.js')).href)
