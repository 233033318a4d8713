import { z } from 'zod'
import { LaneId } from '../contract/queue'
import { RunId } from '../contract/run'
import { writeJsonAtomic } from './atomic'
import { readJson } from './jsonFile'

const Waiting = z.object({ run: RunId, lane: LaneId })
export type Waiting = z.infer<typeof Waiting>

/** Which runs wait, in order, and which lanes are paused: by a person (null) or by what went wrong there. */
const File = z.object({ format: z.literal(1), waiting: z.array(Waiting), paused: z.record(LaneId, z.string().nullable()) })
export type QueueContent = Omit<z.infer<typeof File>, 'format'>

/** The queue on disk: only names of runs, whose folders hold the frozen recipes. Written by the window's process; others only take out what they remove. */
export interface QueueFile {
  read(): QueueContent
  change(by: (content: QueueContent) => Partial<QueueContent>): void
  runs(): ReadonlySet<string>
  waits(run: string): boolean
  /** Takes runs out; those that do not wait are left alone. */
  leave(runs: readonly string[]): void
}

export function openQueueFile(path: string): QueueFile {
  const read = (): QueueContent => readJson(path, File, () => ({ format: 1 as const, waiting: [], paused: {} }))
  const runs = () => new Set(read().waiting.map(({ run }) => run))
  function change(by: (content: QueueContent) => Partial<QueueContent>): void {
    const before = read()
    writeJsonAtomic(path, { ...before, ...by(before), format: 1 } satisfies z.infer<typeof File>)
  }
  return {
    read, change, runs,
    waits: run => runs().has(run),
    leave(leaving) {
      const waiting = runs()
      if (leaving.some(run => waiting.has(run))) change(content => ({ waiting: without(content.waiting, leaving) }))
    },
  }
}

/** Puts a run before the one that stands at `position` of its lane, or at the end. */
export function place(waiting: readonly Waiting[], entry: Waiting, position: number): Waiting[] {
  const others = without(waiting, [entry.run])
  const next = others.filter(({ lane }) => lane === entry.lane)[position]
  const at = next ? others.indexOf(next) : others.length
  return [...others.slice(0, at), entry, ...others.slice(at)]
}

const without = (waiting: readonly Waiting[], runs: readonly string[]): Waiting[] => waiting.filter(({ run }) => !runs.includes(run))
