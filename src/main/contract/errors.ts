import { z } from 'zod'

/** Every way a request can fail that a person can do something about. Views choose their action by code. */
export const ErrorCode = z.enum([
  'bad-input', 'recipe-invalid', 'not-found', 'model-unreadable', 'model-unsupported', 'dataset-unreadable',
  'dataset-invalid', 'adapter-invalid', 'run-busy', 'run-state', 'not-mergeable', 'verification-failed',
  'workspace-busy', 'workspace-unwritable', 'disk-full', 'out-of-memory', 'trainer-died', 'runtime-missing',
  'diverged', 'cancelled', 'hub-offline', 'hub-gated', 'hub-token', 'hub-failed', 'internal',
])
export type ErrorCode = z.infer<typeof ErrorCode>

/** Errors cross process borders as this value. `message` is one sentence: what is wrong, where, what to do. */
export const ErrorValue = z.object({ code: ErrorCode, message: z.string(), hint: z.string().optional(), field: z.string().optional() })
export type ErrorValue = z.infer<typeof ErrorValue>

/** An error meant for the person; anything else that is thrown is a defect and is reported as `internal`. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly field: string | undefined

  constructor(code: ErrorCode, message: string, more: { hint?: string; field?: string; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.name = 'AppError'
    this.code = code
    this.hint = more.hint
    this.field = more.field
  }
}

const diskFull = 'The disk is full: free some space, then try again; nothing that was saved before is lost.'

/** The value that crosses a process border for any thrown thing. */
export function toErrorValue(thrown: unknown): ErrorValue {
  if (thrown instanceof AppError) {
    return { code: thrown.code, message: thrown.message, ...(thrown.hint ? { hint: thrown.hint } : {}), ...(thrown.field ? { field: thrown.field } : {}) }
  }
  const code = (thrown as { code?: unknown } | null)?.code
  if (code === 'ENOSPC' || code === 'EDQUOT') return { code: 'disk-full', message: diskFull }
  return { code: 'internal', message: thrown instanceof Error ? thrown.message : String(thrown) }
}

export const fromErrorValue = (value: ErrorValue): AppError =>
  new AppError(value.code, value.message, { ...(value.hint ? { hint: value.hint } : {}), ...(value.field ? { field: value.field } : {}) })

const kinds: Readonly<Record<string, string>> = {
  int: 'a whole number', number: 'a number', string: 'a text', boolean: 'true or false', object: 'an object', record: 'an object', array: 'a list', null: 'null',
}

/** What is wrong with a value, without its place: zod's words name types of programs. */
export function issueWords(issue: z.core.$ZodIssue): string {
  const inner = issue.code === 'invalid_union' ? issue.errors.map(([first]) => first).find(first => first && first.path.length > 0) : undefined
  if (inner) return `${inner.path.map(String).join('.')}: ${issueWords(inner)}`
  const kind = kindOf(issue)
  return kind ? `must be ${kind}` : issue.message.charAt(0).toLowerCase() + issue.message.slice(1)
}

function kindOf(issue: z.core.$ZodIssue | undefined): string | undefined {
  if (issue?.code === 'invalid_type') return kinds[issue.expected]
  if (issue?.code === 'invalid_value') return `${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(value => JSON.stringify(value)).join(', ')}`
  if (issue?.code !== 'invalid_union') return undefined
  const each = issue.errors.map(([first]) => kindOf(first))
  return each.length > 0 && each.every(kind => kind !== undefined) ? [...new Set(each)].join(' or ') : undefined
}
