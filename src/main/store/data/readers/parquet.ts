import { join, relative } from 'node:path'
import { byNumber, listed, numberClasses } from '../classes'
import { count, invalid, openFailure, shortName } from '../failures'
import { fingerprintFiles } from '../fingerprint'
import type { Labelled } from '../layout'
import { byCodePoint, datasetName, splitOf } from '../names'
import { SPLITS, type DatasetSource, type SplitName } from '../types'
import { listFolder } from './folder'
import { openParquetFile, type ParquetFile } from './parquetFile'

interface Row extends Labelled { shard: ParquetFile; row: number }

/** The parquet files of a folder, also one or two folders down, where Hugging Face keeps them. */
export async function findParquet(folder: string): Promise<string[]> {
  const { files } = await listFolder(folder, 3)
  return files.filter(file => /\.parquet$/i.test(file)).sort(byCodePoint).map(file => join(folder, file))
}

/** Opens images and labels in parquet files; a file's or folder's name begins with its split. */
export async function openParquet(path: string, paths: readonly string[]): Promise<DatasetSource> {
  const files = paths.map(file => ({ name: relative(path, file) || shortName(file), path: file }))
  const fingerprint = await fingerprintFiles(files, (i, thrown) => { throw openFailure(paths[i]!, thrown) })
  const shards: ParquetFile[] = []
  const closeAll = async () => { for (const shard of shards) await shard.close() }
  try {
    for (const file of paths) shards.push(await openParquetFile(file))
    const names = agreedNames(shards)
    const { rows, notices } = await labelAll(shards, files.map(({ name }) => name), names)
    const { classes, samples } = numberClasses(rows, path, names ? listed(names) : byNumber)
    if (names && classes.length < names.length) notices.push(`${count(names.length - classes.length, 'named class')} without any image ${names.length - classes.length === 1 ? 'is' : 'are'} left out.`)
    return {
      kind: 'parquet', name: datasetName(path), path, classes, samples, fingerprint, notices, validationFromTrain: false,
      read: sample => rows[sample.index]!.shard.image(rows[sample.index]!.row),
      close: closeAll,
    }
  } catch (thrown) {
    await closeAll()
    throw thrown
  }
}

async function labelAll(shards: readonly ParquetFile[], files: readonly string[], names: readonly string[] | null): Promise<{ rows: Row[]; notices: string[] }> {
  const rows: Row[] = []
  const notices: string[] = []
  const splits = files.map(file => (files.length === 1 ? 'train' : splitOfFile(file)))
  for (const wanted of SPLITS) {
    for (const [i, shard] of shards.entries()) {
      if (splits[i] !== wanted) continue
      const labelled = await labelRows(shard, wanted, files[i]!, names)
      for (const row of labelled ?? []) rows.push(row)
      if (!labelled) notices.push(`${files[i]} has no labels and is left out.`)
    }
  }
  return { rows, notices }
}

function splitOfFile(name: string): SplitName {
  for (const part of name.split(/[\\/]/).reverse()) {
    const split = splitOf(/^[a-z]+/i.exec(part)?.[0] ?? '')
    if (split) return split
  }
  return 'train'
}

function agreedNames(shards: readonly ParquetFile[]): string[] | null {
  const [first] = shards
  const other = shards.find(shard => shard.labelColumn !== first?.labelColumn || String(shard.classNames) !== String(first.classNames))
  if (first && other) throw invalid(`${other.path} has other labels than ${first.path}: put only the files of one dataset into the folder.`)
  return first?.classNames ?? null
}

/** The rows of one file, or null when it is a test without labels (Hugging Face writes -1). */
async function labelRows(shard: ParquetFile, split: SplitName, name: string, names: readonly string[] | null): Promise<Row[] | null> {
  const values = await shard.labels()
  if (values.length !== shard.rows) throw invalid(`${shard.path} has ${values.length} labels for ${shard.rows} rows: download it again.`)
  const labels = values.map(plain)
  if (labels.length > 0 && split !== 'train' && labels.every(label => label === null || label === '-1')) return null
  return labels.map((label, row) => {
    if (label === null) throw invalid(`${shard.path}, row ${row + 1}: the column "${shard.labelColumn}" is empty, every image needs a label.`)
    const number = Number(label)
    if (typeof values[row] !== 'string' && (number < 0 || (names && number >= names.length))) {
      throw invalid(`${shard.path}, row ${row + 1}: the label ${label} is out of range${names ? `, there are ${names.length} classes` : ', labels count from 0'}.`)
    }
    return { split, file: `${name}#${row}`, label: names && typeof values[row] !== 'string' ? names[number]! : label, shard, row }
  })
}

function plain(value: unknown): string | null {
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : null
}
