import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { AppError } from '../contract/errors'
import { type Evaluation, type EvaluationCard, EvaluationHead, EvaluationId, SamplePrediction } from '../contract/evaluation'
import { onDisk, removeTemporaries, writeFileAtomic } from './atomic'
import { breather } from './breathe'

const folderOf = (runFolder: string) => join(runFolder, 'evaluations')
const fileOf = (runFolder: string, id: string) => join(folderOf(runFolder), `${id}.jsonl`)
const HEAD_BYTES = 64 << 10
const NEWLINE = 0x0a

/** One file for each checkpoint, split and dataset; measured again, it is replaced. */
const idOf = ({ step, split, data }: EvaluationHead): string => `step-${String(step).padStart(6, '0')}-${split}-${data.hash.slice(0, 12)}`

/** Keeps what a checkpoint said of each image: JSON lines, the first of which says what was measured. */
export function writeEvaluation(runFolder: string, head: EvaluationHead, predictions: readonly SamplePrediction[]): string {
  const id = EvaluationId.parse(idOf(head)), folder = folderOf(runFolder)
  onDisk(`write ${folder}`, () => mkdirSync(folder, { recursive: true }))
  removeTemporaries(folder)
  const lines = predictions.map(one => JSON.stringify({ ...one, probabilities: one.probabilities.map(p => Number(p.toPrecision(6))) }))
  writeFileAtomic(fileOf(runFolder, id), `${[JSON.stringify(head), ...lines].join('\n')}\n`)
  return id
}

/** The newest first; one whose head cannot be read is left out. */
export function listEvaluations(runFolder: string): EvaluationCard[] {
  const folder = folderOf(runFolder)
  if (!existsSync(folder)) return []
  const ids = readdirSync(folder).filter(name => name.endsWith('.jsonl')).map(name => basename(name, '.jsonl'))
  return ids.flatMap(id => cardOf(runFolder, id) ?? []).sort((a, b) => b.savedAt - a.savedAt)
}

function cardOf(runFolder: string, id: string): EvaluationCard | null {
  try {
    const { classes: _, ...head } = readEvaluationHead(runFolder, id)
    return { ...head, id }
  } catch {
    return null
  }
}

/** What was measured, without the predictions. */
export const readEvaluationHead = (runFolder: string, id: string): EvaluationHead =>
  EvaluationHead.parse(JSON.parse(firstLine(fileOf(runFolder, EvaluationId.parse(id)))))

/** A thousand classes have long names: read on until the line ends. */
function firstLine(path: string): string {
  const file = openSync(path, 'r')
  try {
    const parts: Buffer[] = []
    for (;;) {
      const part = Buffer.alloc(HEAD_BYTES), length = readSync(file, part, 0, HEAD_BYTES, null)
      const end = part.subarray(0, length).indexOf(NEWLINE)
      parts.push(part.subarray(0, end < 0 ? length : end))
      if (end >= 0 || length === 0) return Buffer.concat(parts).toString('utf8')
    }
  } finally {
    closeSync(file)
  }
}

export const readEvaluation = (runFolder: string, id: string): Promise<Evaluation> => readPredictions(runFolder, id, one => one)

/** Reads an evaluation in short turns; `keep` says what of each prediction is wanted. */
export async function readPredictions<T>(runFolder: string, id: string, keep: (one: SamplePrediction) => T): Promise<Omit<Evaluation, 'predictions'> & { predictions: T[] }> {
  const path = fileOf(runFolder, EvaluationId.parse(id))
  if (!existsSync(path)) throw new AppError('not-found', `Run ${basename(runFolder)} has no evaluation ${id}; evaluate that checkpoint again.`)
  try {
    const breathe = breather()
    const [first = '', ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n')
    const head = EvaluationHead.parse(JSON.parse(first)), predictions: T[] = []
    if (lines.length !== head.samples) throw new Error(`${lines.length} of ${head.samples} lines`)
    for (const line of lines) {
      predictions.push(keep(SamplePrediction.parse(JSON.parse(line))))
      await breathe()
    }
    return { ...head, id, predictions }
  } catch (thrown) {
    throw new AppError('run-state', `The predictions in ${path} are damaged; evaluate that checkpoint again.`, { cause: thrown })
  }
}
