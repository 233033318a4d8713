import { fork as forkNode } from 'node:child_process'
import type { HostMessage } from './protocol'

/** A forked trainer, whichever way it was forked. */
export interface TrainerProcess {
  readonly pid: number | undefined
  post(message: HostMessage): void
  kill(): void
  onMessage(listener: (message: unknown) => void): void
  onOutput(listener: (chunk: Buffer) => void): void
  onExit(listener: (code: number | null, signal: string | null) => void): void
}
export type Fork = (environment?: Readonly<Record<string, string>>) => TrainerProcess

/**
 * Several trainers may share a GPU, so none takes all of its memory at the start; with glibc, threads take memory
 * from one place, so that what one of them gives back serves the others; a step's large operations share all cores each, so TensorFlow runs them one after another: side by side they wait for each other.
 */
export const trainerEnvironment = (): NodeJS.ProcessEnv =>
  ({ TF_CPP_MIN_LOG_LEVEL: '2', TF_FORCE_GPU_ALLOW_GROWTH: 'true', GLIBC_TUNABLES: 'glibc.malloc.arena_max=1', TF_NUM_INTEROP_THREADS: '1', ...process.env })

/** A trainer as a child of plain Node: for the command line and the tests. */
export const nodeFork = (trainerPath: string): Fork => environment => {
  const child = forkNode(trainerPath, [], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [], env: { ...trainerEnvironment(), ...environment } })
  child.on('error', () => {})
  return {
    pid: child.pid,
    post: message => { if (child.connected) child.send(message, () => {}) },
    kill: () => void child.kill('SIGKILL'),
    onMessage: listener => void child.on('message', listener),
    onOutput(listener) {
      child.stdout?.on('data', listener)
      child.stderr?.on('data', listener)
    },
    onExit: listener => onceGone(done => {
      child.once('error', thrown => done(null, null, thrown))
      child.once('close', (code, signal) => done(code, signal))
    }, listener),
  }
}

/** The part of Electron's `utilityProcess` in use; the worker layer does not import Electron. */
export interface UtilityProcesses {
  fork(path: string, args: string[], options: { stdio: 'pipe'; serviceName: string; env: NodeJS.ProcessEnv }): {
    pid: number | undefined
    stdout: NodeJS.ReadableStream | null
    stderr: NodeJS.ReadableStream | null
    postMessage(message: unknown): void
    kill(): boolean
    on(event: 'message', listener: (message: unknown) => void): unknown
    once(event: 'exit', listener: (code: number) => void): unknown
  }
}

/** A trainer as a utility process of Electron. */
export const utilityFork = (utilityProcess: UtilityProcesses, trainerPath: string): Fork => environment => {
  const child = utilityProcess.fork(trainerPath, [], { stdio: 'pipe', serviceName: 'Engram trainer', env: { ...trainerEnvironment(), ...environment } })
  return {
    get pid() { return child.pid },
    post: message => child.postMessage(message),
    kill: () => {
      if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL')
      else child.kill()
    },
    onMessage: listener => void child.on('message', listener),
    onOutput(listener) {
      child.stdout?.on('data', listener)
      child.stderr?.on('data', listener)
    },
    onExit: listener => onceGone(done => child.once('exit', code => done(code, null)), listener),
  }
}

function onceGone(watch: (done: (code: number | null, signal: string | null, thrown?: Error) => void) => void, listener: (code: number | null, signal: string | null) => void): void {
  let gone = false
  watch((code, signal) => {
    if (gone) return
    gone = true
    listener(code, signal)
  })
}
