import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { byName, numberClasses, refuseEmptyClasses } from '../classes'
import { errno, openFailure, reasonOf, unreadable } from '../failures'
import { fingerprintFiles } from '../fingerprint'
import { layOut, type Listing } from '../layout'
import { datasetName, isLitter } from '../names'
import { BrokenImage, type DatasetSource } from '../types'

const DEEPEST = 8
const BROKEN = ['ENOENT', 'ELOOP', 'EACCES', 'EPERM']

/** Opens a folder of images in class folders. */
export async function openFolder(path: string): Promise<DatasetSource> {
  const { samples: labelled, emptyClasses, notices } = layOut(await listFolder(path), path)
  refuseEmptyClasses(emptyClasses, path)
  const { classes, samples } = numberClasses(labelled, path, byName)
  const files = samples.map(sample => ({ name: sample.file, path: join(path, sample.file) }))
  const fingerprint = await fingerprintFiles(files, (i, thrown) => {
    // a link to nowhere, or a file that is not for everybody, is one broken image among others
    if (BROKEN.includes(errno(thrown))) return reasonOf(thrown)
    throw unreadable(`${files[i]!.path} cannot be read (${reasonOf(thrown)}): remove it or mend it.`, thrown)
  })
  return {
    kind: 'folder', name: datasetName(path), path, classes, samples, fingerprint, notices, validationFromTrain: false,
    read: sample => readImageFile(join(path, sample.file)),
    close: async () => undefined,
  }
}

/** The bytes of one image file. */
export async function readImageFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (thrown) {
    throw new BrokenImage(`it cannot be read: ${reasonOf(thrown)}`, { cause: thrown })
  }
}

/** All files and folders below a folder, hidden ones left out. */
export async function listFolder(path: string, deepest = DEEPEST): Promise<Listing> {
  const files: string[] = []
  const folders: string[] = []
  const walk = async (inside: string, depth: number, above: readonly string[]): Promise<void> => {
    // A link to a folder around it would give each image again, under classes that are not its own.
    const here = await realpath(join(path, inside)).catch((thrown: unknown) => { throw openFailure(join(path, inside), thrown) })
    if (above.includes(here)) return
    if (inside) folders.push(inside)
    const entries = await readdir(join(path, inside), { withFileTypes: true }).catch((thrown: unknown) => { throw openFailure(join(path, inside), thrown) })
    for (const entry of entries) {
      if (isLitter(entry.name)) continue
      const name = inside ? `${inside}/${entry.name}` : entry.name
      const folder = entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(join(path, name))))
      if (!folder) files.push(name)
      else if (depth < deepest) await walk(name, depth + 1, [...above, here])
    }
  }
  await walk('', 1, [])
  return { files, folders }
}

const isFolder = (path: string) => stat(path).then(s => s.isDirectory(), () => false)
