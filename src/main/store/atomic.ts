import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AppError, type ErrorCode } from '../contract/errors'

const TEMPORARY = /^\.tmp-(\d+)-[0-9a-f]+-/
const REPLACED = /^\.old-\d+-[0-9a-f]+-(.+)$/

const mark = () => `${process.pid}-${randomBytes(4).toString('hex')}`
const temporaryName = (final: string) => join(dirname(final), `.tmp-${mark()}-${basename(final)}`)

const failures: Readonly<Record<string, readonly [code: ErrorCode, why: string]>> = {
  ENOSPC: ['disk-full', 'the disk is full. Free some space, then try again; nothing that was saved before is lost.'],
  EACCES: ['workspace-unwritable', 'no permission. Make the folder writable, or choose another with --workspace.'],
  EROFS: ['workspace-unwritable', 'the file system is read-only. Choose another folder with --workspace.'],
  ENOTDIR: ['workspace-unwritable', 'a file stands where a folder is needed. Choose another folder.'],
  EISDIR: ['workspace-unwritable', 'a folder stands where a file is needed. Choose another name.'],
  ENOENT: ['workspace-unwritable', 'its folder is not there. Make the folder, or choose another.'],
  ELOOP: ['workspace-unwritable', 'its links lead in a circle. Choose another folder.'],
  ENAMETOOLONG: ['workspace-unwritable', 'its name is too long. Choose a shorter one.'],
}
const alike: Readonly<Record<string, string>> = { EDQUOT: 'ENOSPC', EPERM: 'EACCES', EEXIST: 'ENOTDIR' }

/** Turns a failed disk operation into one sentence with a mend; `doing` completes "Could not …". */
export function diskError(doing: string, thrown: unknown): unknown {
  const code = String((thrown as NodeJS.ErrnoException | null)?.code), failure = failures[alike[code] ?? code]
  return failure ? new AppError(failure[0], `Could not ${doing}: ${failure[1]}`, { cause: thrown }) : thrown
}

export function onDisk<T>(doing: string, work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    throw diskError(doing, thrown)
  }
}

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/** A folder and those above it. Node's own way never ends where the file system has no place for new folders, as in /proc. */
export function makeFolder(path: string): void {
  if (isFolder(path)) return
  if (dirname(path) !== path) makeFolder(dirname(path))
  try {
    mkdirSync(path)
  } catch (thrown) {
    // another program may have made it just now
    if (!isFolder(path)) throw thrown
  }
}

/** Writes a new file and waits until it is on the disk. */
export function writeDurable(path: string, data: Uint8Array | Iterable<Uint8Array> | string): number {
  const chunks = typeof data === 'string' ? [Buffer.from(data, 'utf8')] : data instanceof Uint8Array ? [data] : data
  const file = openSync(path, 'wx')
  let size = 0
  try {
    for (const bytes of chunks) {
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at, Math.min(bytes.length - at, 1 << 30))
      size += bytes.length
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return size
}

/** After a crash the path holds the old file or the new one, never a part. A device or a pipe is not replaced but written to. */
export function writeFileAtomic(path: string, data: Uint8Array | string): void {
  onDisk(`write ${path}`, () => {
    if (existsSync(path) && !statSync(path).isFile() && !statSync(path).isDirectory()) return writeFileSync(path, data)
    const temporary = temporaryName(path)
    try {
      writeDurable(temporary, data)
      renameSync(temporary, path)
      syncFolder(dirname(path))
    } catch (thrown) {
      rmSync(temporary, { force: true })
      throw thrown
    }
  })
}

export const writeJsonAtomic = (path: string, value: unknown): void => writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`)

/** A folder under construction beside its final place. */
export interface StagedFolder { path: string; commit(): void; discard(): void }

export function stageFolder(final: string): StagedFolder {
  const path = temporaryName(final)
  onDisk(`make ${path}`, () => {
    makeFolder(dirname(final))
    mkdirSync(path)
  })
  const discard = () => rmSync(path, { recursive: true, force: true })
  return { path, discard, commit: () => onDisk(`write ${final}`, () => {
    syncFolder(path)
    replaceFolder(path, final)
    syncFolder(dirname(final))
  }) }
}

/** Fills a folder under a temporary name and then gives it its own; on any error nothing is left. */
export function buildFolder(final: string, fill: (folder: string) => void): void {
  const staged = stageFolder(final)
  try {
    onDisk(`write ${final}`, () => fill(staged.path))
    staged.commit()
  } catch (thrown) {
    staged.discard()
    throw thrown
  }
}

export async function buildFolderAsync(final: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const staged = stageFolder(final)
  try {
    await fill(staged.path)
    staged.commit()
  } catch (thrown) {
    staged.discard()
    throw diskError(`write ${final}`, thrown)
  }
}

/** No system call swaps two folders from Node: a kill between the two renames leaves `.old-…`, which `removeTemporaries` puts back. */
function replaceFolder(from: string, final: string): void {
  if (!existsSync(final)) return renameSync(from, final)
  const old = join(dirname(final), `.old-${mark()}-${basename(final)}`)
  renameSync(final, old)
  renameSync(from, final)
  rmSync(old, { recursive: true, force: true })
}

/** Takes a folder or file out of sight in one step, then deletes it. */
export function removeAtomic(path: string): void {
  onDisk(`remove ${path}`, () => {
    const away = temporaryName(path)
    renameSync(path, away)
    rmSync(away, { recursive: true, force: true })
  })
}

/** Removes what a killed writer left in `folder`, of one name or of any; `all` when the caller is the only writer there. */
export function removeTemporaries(folder: string, all = false, name?: string): void {
  if (!existsSync(folder)) return
  for (const found of readdirSync(folder)) {
    if (name !== undefined && !found.endsWith(`-${name}`)) continue
    const path = join(folder, found)
    const owner = TEMPORARY.exec(found)?.[1]
    const replaced = REPLACED.exec(found)?.[1]
    if (owner !== undefined && (all || !processExists(Number(owner)))) rmSync(path, { recursive: true, force: true })
    else if (replaced !== undefined && !existsSync(join(folder, replaced))) renameSync(path, join(folder, replaced))
    else if (replaced !== undefined) rmSync(path, { recursive: true, force: true })
  }
}

export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
