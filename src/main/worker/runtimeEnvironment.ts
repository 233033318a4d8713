import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { z } from 'zod'

const Runtime = z.looseObject({ environment: z.record(z.string(), z.string()).default({}) })

/**
 * Sets what the native runtime needs from the environment, as the set-up wrote it beside the libraries (where CUDA's
 * compiler lies, for one). What is set already stays. To be called before TensorFlow is loaded.
 */
export function applyRuntimeEnvironment(): void {
  const addon = join(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node-gpu/package.json')), 'lib/napi-v8/tfjs_binding.node')
  if (!existsSync(addon)) return
  const file = join(dirname(dirname(realpathSync(addon))), 'runtime.json')
  if (!existsSync(file)) return
  const { environment } = Runtime.parse(JSON.parse(readFileSync(file, 'utf8')))
  for (const [name, value] of Object.entries(environment)) process.env[name] ??= value
}
