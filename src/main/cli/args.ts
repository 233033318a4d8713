import { parseArgs } from 'node:util'
import { AppError } from '../contract/errors'
import { nearest } from '../contract/parse'
import type { Command, Option, Values } from './command'

/** Options that go with every command. */
export const common: Readonly<Record<string, Option>> = {
  workspace: { value: 'DIR', about: 'where runs, cache and settings live (ENGRAM_WORKSPACE, else ~/Engram)' },
  json: { about: 'print JSON on standard output' },
  help: { about: 'show this help' },
}

/** Common options may stand before the command, too: they are put behind it. */
export function commandFirst(args: readonly string[]): readonly string[] {
  let at = 0
  for (let option: string | undefined; (option = commonOption(args[at])) !== undefined;) at += common[option]!.value && !args[at]!.includes('=') ? 2 : 1
  return at < args.length ? [args[at]!, ...args.slice(0, at), ...args.slice(at + 1)] : []
}

const commonOption = (word = ''): string | undefined => Object.keys(common).find(name => name !== 'help' && (word === `--${name}` || word.startsWith(`--${name}=`)))

export interface Parsed { words: string[]; values: Values }

/** Reads a command's arguments; whatever is wrong is one sentence with the nearest known name. */
export function parseCommandLine(args: readonly string[], command: Command): Parsed {
  const known = { ...command.options, ...common }
  const options = Object.fromEntries(Object.entries(known).map(([name, { value }]) => [name, { type: value ? 'string' : 'boolean' } as const]))
  const { tokens } = parseArgs({ args: [...args], options: { ...options, h: { type: 'boolean' } }, strict: false, tokens: true, allowPositionals: true })
  const values: Record<string, string | true> = {}
  const words: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    const name = token.rawName === '-h' ? 'help' : token.name
    values[name] = checked(name, token.rawName, token.value, token.inlineValue === true, known, command)
  }
  if (!values['help']) checkComplete(command, words, values)
  return { words, values }
}

function checked(name: string, raw: string, value: string | undefined, inline: boolean, known: Readonly<Record<string, Option>>, command: Command): string | true {
  const option = Object.hasOwn(known, name) ? known[name] : undefined
  if (!option) throw unknownOption(raw, Object.keys(known), command)
  if (!option.value) {
    if (value !== undefined) throw wrong(command, `${raw} takes no value`)
    return true
  }
  if (value === undefined || value === '' || (!inline && value.startsWith('-') && value !== '-')) throw wrong(command, `${raw} needs a value: ${raw} ${option.value}`)
  return value
}

function unknownOption(raw: string, known: readonly string[], command: Command): AppError {
  const near = nearest(raw.replace(/^-+/, ''), known)
  return wrong(command, `unknown option ${raw}${near ? `; did you mean --${near}?` : `; "engram ${command.name} --help" lists the options`}`)
}

function checkComplete({ words: [least, most], options, usage, name }: Command, words: readonly string[], values: Values): void {
  const command = { name } as Command
  if (words.length < least) throw wrong(command, `something is missing; usage: engram ${usage}`)
  if (words.length > most) throw wrong(command, `"${words[most]}" is one word too many; usage: engram ${usage}`)
  const missing = Object.entries(options).find(([option, { required }]) => required && values[option] === undefined)
  if (missing) throw wrong(command, `--${missing[0]} ${missing[1].value} is missing; usage: engram ${usage}`)
}

const wrong = ({ name }: Pick<Command, 'name'>, what: string) => new AppError('bad-input', `${name}: ${what}${/[.?]$/.test(what) ? '' : '.'}`)
