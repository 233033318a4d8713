import { expect, test } from 'vitest'
import { z } from 'zod'
import { Recipe } from '../../src/main/contract/recipe'
import { fieldsOf, schemaAt, type Schema } from '../../src/renderer/forms/schema'
import { optionLabel } from '../../src/renderer/forms/words'
import { getAt, setAt, type JsonObject } from '../../src/renderer/lib/path'
import { nextStep } from '../../src/renderer/newRun/nextStep'
import { preflight } from '../../src/renderer/newRun/preflight'

const schema = z.toJSONSchema(Recipe, { io: 'input' }) as Schema
const field = (path: string) => fieldsOf(schema, '').find(one => one.path === path)

test('every kind of property becomes a control', () => {
  expect(field('train.epochs')).toMatchObject({ kind: 'number', integer: true, unit: 'epochs', default: 10, label: 'Epochs' })
  expect(field('train.learningRate')).toMatchObject({ kind: 'number', nullable: true, default: null })
  expect(field('train.schedule')).toMatchObject({ kind: 'choice', options: ['cosine', 'constant'] })
  expect(field('evaluate.every')).toMatchObject({ kind: 'word-or-number', word: 'epoch' })
  expect(field('data.normalize')).toMatchObject({ kind: 'choice-or-group', word: 'auto' })
  expect(field('data.split.validation')).toMatchObject({ kind: 'number', default: 0.2 })
  const other = z.toJSONSchema(z.object({ on: z.boolean().default(true), sites: z.array(z.string()).default(['*']), roles: z.array(z.enum(['q', 'v'])).default(['q']), betas: z.array(z.number()) }), { io: 'input' }) as Schema
  expect(fieldsOf(other, 'method').map(one => one.kind)).toEqual(['switch', 'words', 'choices', 'numbers'])
})

test('a field that is new to the recipe appears by itself', () => {
  const wider = z.toJSONSchema(z.object({ train: z.object({ lookahead: z.int().default(5).meta({ title: 'Look-ahead' }) }) }), { io: 'input' }) as Schema
  expect(fieldsOf(schemaAt(wider, 'train') ?? {}, 'train')[0]).toMatchObject({ path: 'train.lookahead', label: 'Look-ahead', default: 5 })
})

test('the draft keeps only what was chosen, and SAN with defaults stays on', () => {
  const draft: JsonObject = { method: { type: 'ssf', san: {} } }
  setAt(draft, 'method.san.lambda', 0.001)
  setAt(draft, 'method.san.lambda', undefined)
  setAt(draft, 'train.epochs', undefined)
  expect(draft).toEqual({ method: { type: 'ssf', san: {} } })
  expect(getAt(draft, 'method.san')).toEqual({})
})

test('the start button names the first thing that is missing', () => {
  const plan = { trainable: { total: 1, head: 1, method: 0, sites: [] }, parameters: 1, memory: { frozen: 0, trained: 0, activations: 0, workspace: 0, total: 0, lower: [] }, steps: null, san: null, learningRate: 0, notices: [] }
  const standing = { backbone: 'a', data: 'b', method: 'ssf', plan, checking: false, start: 'Start run on GPU 0', missingBytes: 0, labelOf: () => 'Learning rate' }
  expect(nextStep({ ...standing, backbone: '', data: '' }).text).toBe('Choose a backbone')
  expect(nextStep({ ...standing, data: '' }).text).toBe('Choose data')
  expect(nextStep({ ...standing, method: '' }).text).toBe('Choose a method')
  expect(nextStep({ ...standing, plan: { ...plan, notices: [{ level: 'error', field: 'train.learningRate', message: '' }] } })).toEqual({ text: 'Fix learning rate', field: 'train.learningRate', ready: false })
  expect(nextStep({ ...standing, missingBytes: 1.2e9 }).text).toBe('Free 1.2 GB of memory')
  const wrong = { ...plan, notices: [{ level: 'error' as const, field: 'data.from', message: '' }] }
  expect(nextStep({ ...standing, plan: wrong, checking: true })).toEqual({ text: 'Checking the recipe', field: null, ready: false })
  expect(nextStep({ ...standing, checking: true }).ready).toBe(true)
  expect(nextStep(standing)).toEqual({ text: 'Start run on GPU 0', field: null, ready: true })
})

test('options read as words', () => {
  expect(['paper-locational', 'crop+flip', 'validation/accuracy', 'clampedMean', 'cls'].map(optionLabel)).toEqual(['Paper locational', 'Crop + flip', 'Validation accuracy', 'Clamped mean', 'Class token'])
})

test('before the start it says what is not chosen, and holds no mistake of an older recipe against the new one', () => {
  const notices = [{ level: 'error' as const, field: 'data.from', message: 'Choose a dataset.' }, { level: 'warning' as const, field: 'train.epochs', message: 'train.epochs: are many.' }, { level: 'warning' as const, field: null, message: 'It will be slow.' }]
  const plan = { trainable: { total: 0, head: 0, method: 0, sites: [] }, parameters: 0, memory: { frozen: 0, trained: 0, activations: 0, workspace: 0, total: 0, lower: [] }, steps: null, san: null, learningRate: 0, notices }
  const said = (written: string[], checking = false) => preflight({ plan, checking, backbone: undefined, data: undefined, status: null, isWritten: field => written.includes(field), labelOf: field => field === 'train.epochs' ? 'Epochs' : field }).map(({ level, text }) => `${level}: ${text}`)
  expect(said(['backbone.from'])).toEqual(['todo: Choose data', 'todo: Choose a method', 'warning: Epochs are many.', 'warning: It will be slow.'])
  expect(said(['backbone.from', 'data.from', 'method.type'])).toEqual(['error: Choose a dataset.', 'warning: Epochs are many.', 'warning: It will be slow.'])
  expect(said(['backbone.from', 'data.from', 'method.type'], true)).toEqual(['warning: Epochs are many.', 'warning: It will be slow.'])
})
