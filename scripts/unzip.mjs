import { createWriteStream, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'

/** Unpacks the entries for which `place(name)` gives a path below `folder`, keeping the executable bit. */
export async function unzip(archive, folder, place) {
  // Not a top-level import: set-up begins before the npm packages are there.
  const { default: yauzl } = await import('yauzl')
  const zip = await promisify(yauzl.open)(archive, { lazyEntries: true, autoClose: false })
  const openEntry = promisify(zip.openReadStream.bind(zip))
  try {
    for (const entry of await listEntries(zip)) {
      const path = place(entry.fileName)
      if (path) await write(await openEntry(entry), join(folder, path), entry.externalFileAttributes >>> 16)
    }
  } finally {
    zip.close()
  }
}

function listEntries(zip) {
  return new Promise((resolve, reject) => {
    const files = []
    zip.on('entry', (entry) => {
      if (!entry.fileName.endsWith('/')) files.push(entry)
      zip.readEntry()
    })
    zip.on('end', () => resolve(files))
    zip.on('error', reject)
    zip.readEntry()
  })
}

async function write(stream, target, mode) {
  mkdirSync(dirname(target), { recursive: true })
  await pipeline(stream, createWriteStream(target, { mode: mode & 0o111 ? 0o755 : 0o644 }))
}
