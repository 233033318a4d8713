import { fromFd, type Entry, type ZipFile } from 'yauzl'
import { close, open } from 'node:fs'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { byName, numberClasses, refuseEmptyClasses } from '../classes'
import { messageOf, openFailure, shortName, unreadable } from '../failures'
import { addressOf } from '../fingerprint'
import { layOut } from '../layout'
import { datasetName } from '../names'
import { BrokenImage, type DatasetSource } from '../types'

const LARGEST_IMAGE_FILE = 512 * 2 ** 20

/** Opens a zip archive of images in class folders, without unpacking it. */
export async function openZip(path: string): Promise<DatasetSource> {
  const zip = await openArchive(path)
  try {
    const { entries, folders } = await listEntries(zip, path)
    const { samples: labelled, emptyClasses, notices } = layOut({ files: [...entries.keys()], folders }, path)
    refuseEmptyClasses(emptyClasses, path)
    const locked = labelled.find(sample => entries.get(sample.file)!.isEncrypted())
    if (locked) throw unreadable(`${path} is encrypted (${locked.file}): unpack it with its password and choose the folder.`)
    const { classes, samples } = numberClasses(labelled, path, byName)
    // The checksums of the directory address the content itself, wherever the archive lies.
    const fingerprint = addressOf(samples.map(({ file }) => `${file} ${entries.get(file)!.crc32} ${entries.get(file)!.uncompressedSize}`))
    return {
      kind: 'zip', name: datasetName(path), path, classes, samples, fingerprint, notices, validationFromTrain: false,
      read: sample => readEntry(zip, entries.get(sample.file)!),
      close: async () => zip.close(),
    }
  } catch (thrown) {
    zip.close()
    throw thrown
  }
}

async function openArchive(path: string): Promise<ZipFile> {
  const fd = await promisify(open)(path, 'r').catch((thrown: unknown) => { throw openFailure(path, thrown) })
  return new Promise((resolve, reject) => {
    fromFd(fd, { lazyEntries: true, autoClose: false }, (error, zip) => {
      if (!error) return resolve(zip)
      close(fd, () => reject(damaged(path, error)))
    })
  })
}

const damaged = (path: string, thrown: unknown) =>
  unreadable(`${path} is not a complete zip archive (${messageOf(thrown)}): download or pack ${shortName(path)} again.`, thrown)

function listEntries(zip: ZipFile, path: string): Promise<{ entries: Map<string, Entry>; folders: string[] }> {
  const entries = new Map<string, Entry>()
  const folders: string[] = []
  return new Promise((resolve, reject) => {
    zip.on('entry', (entry: Entry) => {
      if (entry.fileName.endsWith('/')) folders.push(entry.fileName.slice(0, -1))
      else entries.set(entry.fileName, entry)
      zip.readEntry()
    })
    zip.on('end', () => resolve({ entries, folders }))
    zip.on('error', (thrown: unknown) => reject(damaged(path, thrown)))
    zip.readEntry()
  })
}

function readEntry(zip: ZipFile, entry: Entry): Promise<Uint8Array> {
  if (entry.uncompressedSize > LARGEST_IMAGE_FILE) return Promise.reject(new BrokenImage('it is larger than 512 MB'))
  return new Promise((resolve, reject) => {
    const broken = (thrown: unknown) => reject(new BrokenImage(`it cannot be unpacked: ${messageOf(thrown)}`, { cause: thrown }))
    try {
      zip.openReadStream(entry, (error, stream) => {
        if (error) return broken(error)
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('error', broken)
        stream.on('end', () => {
          const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
          if (crc32(bytes) === entry.crc32) resolve(bytes)
          else reject(new BrokenImage('it is damaged in the archive: its checksum is wrong'))
        })
      })
    } catch (thrown) {
      broken(thrown)
    }
  })
}
