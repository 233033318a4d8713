import { basename, extname } from 'node:path'
import type { SplitName } from './types'

/** Order by code points, as Python sorts; JavaScript's own order differs beyond U+FFFF. */
export const byCodePoint = (a: string, b: string): number => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)))

const imageEndings = new Set(['.jpg', '.jpeg', '.png', '.gif', '.bmp', '.webp'])
export const isImageName = (file: string): boolean => imageEndings.has(extname(file).toLowerCase())
export const READABLE = 'JPEG, PNG, GIF, BMP or WebP'

const litter = new Set(['__macosx', 'thumbs.db', 'desktop.ini', '$recycle.bin', '@eadir'])
/** Names that file managers and version control leave behind. */
export const isLitter = (name: string): boolean => name.startsWith('.') || litter.has(name.toLowerCase())

const splitNames: Record<string, SplitName> = { train: 'train', training: 'train', val: 'validation', valid: 'validation', validation: 'validation', test: 'test', testing: 'test' }
export const splitOf = (name: string): SplitName | undefined => (Object.hasOwn(splitNames, name.toLowerCase()) ? splitNames[name.toLowerCase()] : undefined)

/** The name of a dataset from its path, without the ending of an archive. */
export const datasetName = (path: string): string => basename(path).replace(/\.(zip|parquet|txt|csv|tsv|lst)$/i, '') || path
