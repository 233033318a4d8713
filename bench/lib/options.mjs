import { parseArgs } from 'node:util'
import { SetupError } from '../../scripts/log.mjs'
import { backbones, methods, modes } from './grid.mjs'

export const USAGE = `npm run bench -- [OPTIONS]
  --rows LIST      of ${Object.keys(backbones).join(', ')}
  --methods LIST   of ${Object.keys(methods).join(', ')}
  --modes LIST     of ${modes.map(({ id }) => id).join(', ')}
  --steps N        measured steps a cell, after the warm-up
  --device D       cpu (the default) or gpu
  --out FILE       the JSON to write and go on with; the table is put beside it
  --fresh          measure again what the file has
  --quick          ViT-Ti/16 with few steps, to see that everything runs`

const QUICK = { rows: ['vit-ti'], steps: 3 }

/** The command line as choices; a wrong word is refused with what would do. */
export function readOptions(args) {
  const text = { type: 'string' }
  const flag = { type: 'boolean', default: false }
  const { values } = understood(() =>
    parseArgs({
      args,
      options: { rows: text, methods: text, modes: text, steps: text, device: text, out: text, fresh: flag, quick: flag, help: flag },
    }),
  )
  const quick = values.quick ? QUICK : {}
  return {
    rows: listed('rows', values.rows, Object.keys(backbones), quick.rows),
    methods: listed('methods', values.methods, Object.keys(methods)),
    modes: chosenModes(values.modes),
    steps: values.steps === undefined ? quick.steps : wholeNumber('steps', values.steps),
    device: oneOf('device', values.device ?? 'cpu', ['cpu', 'gpu']),
    out: values.out,
    fresh: values.fresh,
    quick: values.quick,
    help: values.help,
  }
}

function chosenModes(text) {
  const usual = modes.filter(({ extra }) => !extra).map(({ id }) => id)
  const ids = listed('modes', text, modes.map(({ id }) => id), usual)
  return modes.filter(({ id }) => ids.includes(id))
}

function listed(name, text, known, usual = known) {
  if (text === undefined) return usual
  const words = text.split(',').map((word) => word.trim())
  for (const word of words) oneOf(name, word, known)
  return known.filter((word) => words.includes(word))
}

function oneOf(name, word, known) {
  if (known.includes(word)) return word
  throw new SetupError(`--${name}: "${word}" is none of ${known.join(', ')}`)
}

function wholeNumber(name, text) {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new SetupError(`--${name}: "${text}" is not a whole number from 1 on`)
}

function understood(parse) {
  try {
    return parse()
  } catch (error) {
    throw new SetupError(`${error.message.split('. ')[0]}\n${USAGE}`)
  }
}
