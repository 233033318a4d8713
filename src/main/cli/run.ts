import { type ErrorCode, toErrorValue, AppError } from '../contract/errors'
import { nearest } from '../contract/parse'
import type { Services } from '../services/index'
import { commandFirst, common, parseCommandLine } from './args'
import { catalog } from './catalog'
import { checkpoints } from './checkpoints'
import type { Command } from './command'
import { doctor } from './doctor'
import { evaluate } from './evaluate'
import { exportCommand } from './export'
import { hubCommand } from './hubGet'
import { inspect } from './inspect'
import { logits } from './logits'
import { createOutput, type Output, type Streams } from './output'
import { plan } from './plan'
import { predict } from './predict'
import { runs } from './runs'
import { train } from './train'

export const commands: readonly Command[] = [doctor, catalog, hubCommand('backbones', 'backbone', 'model'), hubCommand('datasets', 'dataset of images', 'dataset'), inspect, plan, train, runs, checkpoints, evaluate, predict, logits, exportCommand]

export interface Surroundings extends Streams {
  open(workspace: string | undefined): Services
  version: string
  signal: AbortSignal
}

/** What a person can mend by writing something else. */
const WRONG_INPUT: readonly ErrorCode[] = [
  'bad-input', 'recipe-invalid', 'not-found', 'model-unreadable', 'model-unsupported', 'dataset-unreadable', 'dataset-invalid',
  'adapter-invalid', 'run-state', 'not-mergeable',
]

/** Runs one command line and resolves to its exit code: 0 done, 2 wrong input, 1 anything else. */
export async function runCommandLine(given: readonly string[], around: Surroundings): Promise<number> {
  const out = createOutput(around)
  let services: Services | undefined
  try {
    const args = commandFirst(given), [name = '', about] = args
    if (['--version', '-v', 'version'].includes(name)) return said(out, `engram ${around.version}`)
    if (['--help', '-h', 'help'].includes(name)) return said(out, help(about === undefined ? undefined : commandNamed(about)))
    const command = commandNamed(name)
    const { words, values } = parseCommandLine(args.slice(1), command)
    if (values['help']) return said(out, help(command))
    const workspace = values['workspace']
    const open = () => services ??= around.open(typeof workspace === 'string' ? workspace : undefined)
    return await command.run({ services: open, out, json: values['json'] === true, values, words, signal: around.signal }) ?? 0
  } catch (thrown) {
    const { code, message, hint } = toErrorValue(thrown)
    out.remark(`engram: ${[message, hint].filter(Boolean).join(' ').replace(/\s*\n\s*/g, ' ')}`)
    if (code === 'internal' && process.env['ENGRAM_DEBUG']) console.error(thrown)
    return WRONG_INPUT.includes(code) ? 2 : 1
  } finally {
    await services?.close()
  }
}

function said(out: Output, text: string): number {
  out.line(text)
  return 0
}

function commandNamed(name: string): Command {
  const found = commands.find(one => one.name === name)
  if (found) return found
  const names = commands.map(one => one.name)
  if (name === '') throw new AppError('bad-input', `a command is missing; one of ${names.join(', ')}. "engram --help" tells more.`)
  const near = name.startsWith('-') ? undefined : nearest(name, names)
  throw new AppError('bad-input', `unknown command "${name}"; ${near ? `did you mean "${near}"?` : `one of ${names.join(', ')}.`}`)
}

function help(command: Command | undefined): string {
  if (!command) {
    const lines = commands.map(({ usage, about }) => `  engram ${usage}\n      ${about}`)
    return `Engram: parameter-efficient fine-tuning with SAN\n\n${lines.join('\n')}\n\nWith every command: --workspace DIR, --json, --help.`
  }
  const options = Object.entries({ ...command.options, ...common }).map(([name, { value, about }]) => [`  --${name}${value ? ` ${value}` : ''}`, about] as const)
  const width = Math.max(...options.map(([name]) => name.length))
  return `engram ${command.usage}\n\n${command.about}\n\n${options.map(([name, about]) => `${name.padEnd(width)}  ${about}`).join('\n')}`
}
