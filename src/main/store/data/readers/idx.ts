import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { numberClasses } from '../classes'
import { invalid, openFailure } from '../failures'
import { fingerprintFiles } from '../fingerprint'
import type { Labelled } from '../layout'
import { datasetName, splitOf } from '../names'
import type { DatasetSource, SplitName } from '../types'
import { openIdxImages, readIdxLabels, type IdxImages } from './idxFile'

const pattern = /^(train|t10k|test|val|valid|validation)[-_.](images|labels)[-.]idx[1-4]-ubyte(\.gz)?$/i

interface Pair { images?: string; labels?: string }
interface Part { split: SplitName; images: IdxImages; labels: Uint8Array }

export const isIdxName = (name: string): boolean => pattern.test(name)

/** Opens MNIST's idx files, packed or not: a folder of them, or any one of them, which stands for its folder. */
export async function openIdx(path: string): Promise<DatasetSource> {
  const folder = (await stat(path)).isDirectory() ? path : dirname(path)
  const pairs = pairUp((await readdir(folder)).filter(isIdxName), folder)
  const files = pairs.flatMap(([, pair]) => [pair.images, pair.labels]).map(name => ({ name, path: join(folder, name) }))
  const fingerprint = await fingerprintFiles(files, (i, thrown) => openFailure(files[i]!.path, thrown))
  const parts = await openParts(pairs, folder)
  const at = parts.flatMap(part => Array.from(part.labels, (_, i) => ({ images: part.images, i })))
  const labelled = parts.flatMap(part => Array.from(part.labels, (label, i): Labelled => ({ split: part.split, file: `${part.split}/${i}`, label: String(label) })))
  const closeAll = async () => { for (const part of parts) await part.images.close() }
  try {
    const { classes, samples } = numberClasses(await renamed(labelled, folder), folder)
    return {
      kind: 'idx', name: datasetName(folder), path, classes, samples, fingerprint, notices: [], validationFromTrain: false,
      read: sample => at[sample.index]!.images.read(at[sample.index]!.i),
      close: closeAll,
    }
  } catch (thrown) {
    await closeAll()
    throw thrown
  }
}

function pairUp(names: readonly string[], folder: string): [SplitName, Required<Pair>][] {
  const pairs = new Map<SplitName, Pair>()
  for (const name of [...names].sort()) {
    const [, part, what] = pattern.exec(name)!
    const split = part!.toLowerCase() === 't10k' ? 'test' : splitOf(part!)!
    const pair = pairs.get(split) ?? {}
    pairs.set(split, pair)
    // The unpacked file sorts before its .gz and is quicker to read.
    pair[what!.toLowerCase() as keyof Pair] ??= name
  }
  return [...pairs].map(([split, { images, labels }]) => {
    if (images && labels) return [split, { images, labels }]
    throw invalid(`${folder} has ${images ?? labels} but not its file of ${images ? 'labels' : 'images'}: put both into the folder.`)
  })
}

async function openParts(pairs: readonly [SplitName, Required<Pair>][], folder: string): Promise<Part[]> {
  const parts: Part[] = []
  for (const [split, pair] of pairs) {
    const labels = await readIdxLabels(join(folder, pair.labels))
    const images = await openIdxImages(join(folder, pair.images))
    if (images.count !== labels.length) {
      throw invalid(`${join(folder, pair.images)} has ${images.count} images but ${pair.labels} has ${labels.length} labels: they do not belong together.`)
    }
    parts.push({ split, images, labels })
  }
  return parts
}

/** Labels by their names where the folder says them in classes.txt, one a line. */
async function renamed(labelled: readonly Labelled[], folder: string): Promise<readonly Labelled[]> {
  const text = await readFile(join(folder, 'classes.txt'), 'utf8').catch(() => null)
  if (text === null) return labelled
  const names = text.split(/\r?\n/).map(line => line.trim()).filter(line => line !== '')
  const over = labelled.find(sample => Number(sample.label) >= names.length)
  if (over) throw invalid(`Label ${over.label} of ${over.file} is out of range: classes.txt in ${folder} names only ${names.length} classes.`)
  return labelled.map(sample => ({ ...sample, label: names[Number(sample.label)]! }))
}
