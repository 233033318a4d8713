import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { RunEvent, type TrainEvent } from '../contract/run'
import { diskError, onDisk } from './atomic'

const NEWLINE = 0x0a
const CHUNK_BYTES = 1 << 20

export const eventsFile = (runFolder: string): string => join(runFolder, 'events.jsonl')

/** The one writer of a run's events.jsonl. */
export interface EventLog { append(event: TrainEvent): RunEvent; close(): void }

/** Opens the log for its only writer; a line torn by a kill is cut off, and numbering goes on after the last whole one. */
export function openEventLog(runFolder: string): EventLog {
  const path = eventsFile(runFolder)
  const file = onDisk(`open ${path}`, () => openSync(path, existsSync(path) ? 'r+' : 'wx+'))
  let size = wholeBytes(file)
  ftruncateSync(file, size)
  let seq = lastSeq(file, size) + 1
  return {
    append(event) {
      const stamped: RunEvent = { seq, time: Date.now(), ...event }
      const line = Buffer.from(`${JSON.stringify(stamped)}\n`, 'utf8')
      appendWhole(file, size, line, path)
      size += line.byteLength
      seq++
      return stamped
    },
    close: () => closeSync(file),
  }
}

/** One write per line; where the disk takes only a part of it, that part is taken back. */
function appendWhole(file: number, at: number, line: Buffer, path: string): void {
  try {
    const written = writeSync(file, line, 0, line.byteLength, at)
    if (written < line.byteLength) throw Object.assign(new Error('short write'), { code: 'ENOSPC' })
  } catch (thrown) {
    ftruncateSync(file, at)
    throw diskError(`write ${path}`, thrown)
  }
}

/** Length of the file up to and with its last newline. */
function wholeBytes(file: number): number {
  let end = fstatSync(file).size
  const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, Math.max(end, 1)))
  while (end > 0) {
    const start = Math.max(0, end - chunk.byteLength)
    const length = readSync(file, chunk, 0, end - start, start)
    const newline = chunk.subarray(0, length).lastIndexOf(NEWLINE)
    if (newline >= 0) return start + newline + 1
    end = start
  }
  return 0
}

function lastSeq(file: number, size: number): number {
  for (let bytes = 64 << 10; ; bytes *= 4) {
    const from = Math.max(0, size - bytes)
    const seq = readLines(file, from, size).events.at(-1)?.seq
    if (seq !== undefined) return seq
    if (from === 0) return -1
  }
}

export interface EventsRead { events: RunEvent[]; offset: number }

/** Whole lines from byte `offset` on (at most `limitBytes` at once), and the offset to go on from. */
export function readEventsFrom(runFolder: string, offset: number, limitBytes = Number.POSITIVE_INFINITY): EventsRead {
  let file: number
  try {
    file = openSync(eventsFile(runFolder), 'r')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return { events: [], offset: 0 }
    throw thrown
  }
  try {
    const stat = fstatSync(file), { size } = stat
    // one folder that is damaged does not keep the others from being listed
    if (!stat.isFile()) return { events: [], offset: 0 }
    return readLines(file, size < offset ? 0 : offset, Math.min(size, offset + limitBytes))
  } finally {
    closeSync(file)
  }
}

export const readEvents = (runFolder: string, afterSeq = -1): RunEvent[] =>
  readEventsFrom(runFolder, 0).events.filter(({ seq }) => seq > afterSeq)

function readLines(file: number, from: number, to: number): EventsRead {
  const bytes = Buffer.alloc(Math.max(0, to - from))
  const length = readSync(file, bytes, 0, bytes.byteLength, from)
  const end = bytes.subarray(0, length).lastIndexOf(NEWLINE) + 1
  const events: RunEvent[] = []
  for (const line of bytes.toString('utf8', 0, end).split('\n')) {
    const event = parseLine(line)
    if (event) events.push(event)
  }
  return { events, offset: from + end }
}

/** A damaged line is skipped: the lines around it still tell the run. */
function parseLine(line: string): RunEvent | null {
  if (line === '') return null
  try {
    return RunEvent.parse(JSON.parse(line))
  } catch {
    return null
  }
}
