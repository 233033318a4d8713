import { z } from 'zod'
import { AppError, type ErrorCode, issueWords } from './errors'

/** The known name closest to a misspelled one, or undefined when none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const ranked = known.map(k => ({ k, d: editDistance(name.toLowerCase(), k.toLowerCase()) })).sort((a, b) => a.d - b.d)
  const best = ranked[0]
  return best && best.d <= Math.max(2, Math.ceil(best.k.length / 3)) ? best.k : undefined
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]!
}

/** One sentence for the first thing wrong: the field, what was expected, and the nearest known name for an unknown one. */
export function firstIssue(error: z.ZodError, schema: z.ZodType): { field: string; message: string } {
  const issue = error.issues[0]!
  const field = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!
    const known = keysAt(schema, issue.path)
    const near = nearest(key, known)
    const hint = near ? `did you mean "${near}"?` : `known names are ${known.join(', ')}`
    return { field: field ? `${field}.${key}` : key, message: `"${key}" is not a known name; ${hint}` }
  }
  return { field, message: issueWords(issue) }
}

function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: z.ZodType | undefined = unwrap(schema)
  for (const part of path) at = at instanceof z.ZodObject ? unwrap(at.shape[String(part)] as z.ZodType) : undefined
  return at instanceof z.ZodObject ? Object.keys(at.shape) : []
}

function unwrap(schema: z.ZodType | undefined): z.ZodType | undefined {
  let at = schema
  while (at && 'unwrap' in at && typeof at.unwrap === 'function') at = at.unwrap() as z.ZodType
  return at
}

/** Parses at a boundary; throws an AppError whose message names the place and the mend. */
export function parseOrThrow<S extends z.ZodType>(schema: S, value: unknown, where: string, code: ErrorCode = 'bad-input'): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { field, message } = firstIssue(result.error, schema)
  throw new AppError(code, `${where}: ${field ? `${field}: ` : ''}${message}.`.replace(/\?\.$/, '?'), field ? { field } : {})
}
