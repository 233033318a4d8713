import { z } from 'zod'
import type { MethodCard, MethodCatalog } from '../contract/method'
import type { Method } from './methods/define'
import { methods } from './methods/index'
import { methodFields } from './recipe'
import { SanConfig } from './san/config'

/** Everything the window, the command line and the docs say about methods. */
export const methodCatalog = (): MethodCatalog => ({ methods: methods.map(card), san: jsonSchema(SanConfig) })

export const jsonSchema = (schema: z.ZodType): Record<string, unknown> => z.toJSONSchema(schema, { io: 'input' })

const card = (method: Method): MethodCard => ({
  id: method.id, title: method.title, family: method.family, summary: method.summary, formula: method.formula, advice: method.advice,
  paper: method.paper, learningRate: method.learningRate, peft: method.peft?.type ?? null,
  san: 'never' in method.san ? { offered: false, why: method.san.never } : { offered: true, why: method.san.why },
  config: jsonSchema(methodFields(method)),
})
