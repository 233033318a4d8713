import { basename } from 'node:path'
import { AppError } from '../../contract/errors'

/** The data can be read but cannot be trained on. */
export const invalid = (message: string, cause?: unknown) => new AppError('dataset-invalid', message, { cause })
/** The data cannot be read. */
export const unreadable = (message: string, cause?: unknown) => new AppError('dataset-unreadable', message, { cause })

export const errno = (thrown: unknown): string => String((thrown as { code?: unknown } | null)?.code ?? '')
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown)).replace(/\.$/, '')

const reasons: Record<string, string> = {
  ENOENT: 'it is not there', EACCES: 'reading it is not allowed', EPERM: 'reading it is not allowed', EISDIR: 'it is a folder',
  EIO: 'the disk reports an error', EMFILE: 'too many files are open', ENOTDIR: 'a part of its path is not a folder', ELOOP: 'its links lead in a circle',
}
export const reasonOf = (thrown: unknown): string => reasons[errno(thrown)] ?? messageOf(thrown)

/** The sentence for a path that cannot be opened. */
export function openFailure(path: string, thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  if (errno(thrown) === 'ENOENT') return new AppError('not-found', `There is no data at ${path}: choose an existing folder or file.`, { cause: thrown })
  return unreadable(`${path} cannot be read (${reasonOf(thrown)}): check its permissions or choose other data.`, thrown)
}

/** "3 images", "1 image". */
export const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : noun.endsWith('s') ? 'es' : 's'}`
export const shortName = (path: string) => basename(path) || path
