import type { Services } from '../services/index'
import type { Output } from './output'

/** An option of a command; one without `value` is a switch. `value` names what it takes, for the help. */
export interface Option { value?: string; about: string; required?: boolean }
export type Values = Readonly<Record<string, string | true | undefined>>

export interface Context {
  /** Opened when first used, so that a wrong command line touches no workspace. */
  services(): Services
  out: Output
  json: boolean
  values: Values
  /** What stands after the command, without options. */
  words: readonly string[]
  /** Aborted by Ctrl-C, by SIGTERM, or when nobody reads the output any more. */
  signal: AbortSignal
}

/** One command of the line: a file each. Resolves to the exit code, nothing meaning 0. */
export interface Command {
  name: string
  usage: string
  about: string
  options: Readonly<Record<string, Option>>
  /** How many words it takes. */
  words: readonly [least: number, most: number]
  run(context: Context): Promise<number | void>
}

export const textOf = (values: Values, name: string): string | undefined => {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}
