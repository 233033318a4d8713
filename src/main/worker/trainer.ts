// The trainer's entry: the only place where TensorFlow's native package is loaded, and loaded before any of the engine.
import './nodeShim'
import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { AppError } from '../contract/errors'
import type { JobFunction, JobKind } from './protocol'
import { applyRuntimeEnvironment } from './runtimeEnvironment'
import { serveJobs } from './serveJobs'

type Jobs = { [K in JobKind]: () => Promise<JobFunction<K>> }
const jobs: Jobs = {
  train: async () => (await import('./jobs/train')).runTrain,
  evaluate: async () => (await import('./jobs/evaluate')).runEvaluate,
  predict: async () => (await import('./jobs/predict')).runPredict,
  logits: async () => (await import('./jobs/logits')).runLogits,
  export: async () => (await import('./jobs/export')).runExport,
  gains: async () => (await import('./jobs/gains')).runGains,
  tensors: async () => (await import('./jobs/tensors')).runTensors,
  trial: async () => (await import('./jobs/trial')).runTrial,
}

async function loadTensorFlow(): Promise<{ device: string }> {
  try {
    applyRuntimeEnvironment()
    const tf = await import('@tensorflow/tfjs-node-gpu')
    await tf.ready()
    const backend = tf.backend() as { isUsingGpuDevice?: boolean }
    return { device: backend.isUsingGpuDevice ? gpuName() : `CPU (${availableParallelism()} cores)` }
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message.split('\n')[0] : String(thrown)
    throw new AppError('runtime-missing', `TensorFlow could not be loaded: ${why}`, { hint: 'Run "engram doctor"; it names the command that mends it.', cause: thrown })
  }
}

function gpuName(): string {
  try {
    const chosen = process.env['CUDA_VISIBLE_DEVICES']?.split(',')[0]
    const names = execFileSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader', ...(chosen ? [`--id=${chosen}`] : [])], { encoding: 'utf8', timeout: 5000 })
    return names.trim().split('\n')[0] || 'GPU'
  } catch {
    return 'GPU'
  }
}

serveJobs({ load: loadTensorFlow, job: kind => jobs[kind]() })
