import type { Json } from '../lib/path'

/** The part of JSON Schema that zod emits for the recipe, the methods and SAN. */
export interface Schema {
  type?: string
  title?: string
  description?: string
  unit?: string
  default?: Json
  enum?: Json[]
  const?: Json
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  minItems?: number
  items?: Schema
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  advanced?: boolean
}

export type FieldKind = 'number' | 'text' | 'switch' | 'choice' | 'choices' | 'numbers' | 'words' | 'word-or-number' | 'choice-or-group'

/** One row of a generated form: a schema property with its place in the recipe. */
export interface Field {
  path: string
  key: string
  label: string
  sentence: string
  unit: string
  kind: FieldKind
  integer: boolean
  nullable: boolean
  options: (string | number)[]
  /** A fixed word beside a number or a group, such as "epoch" or "auto". */
  word: string
  group: Field[]
  default: Json | undefined
  advanced: boolean
}

export function schemaAt(root: Schema, path: string): Schema | undefined {
  return path.split('.').reduce<Schema | undefined>((at, key) => at?.properties?.[key], root)
}

/** Every field of an object schema; objects within are opened in place. */
export function fieldsOf(schema: Schema, at: string): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const path = at ? `${at}.${key}` : key
    return property.properties ? fieldsOf(property, path) : [toField(key, path, property)]
  })
}

function toField(key: string, path: string, schema: Schema): Field {
  const variants = (schema.anyOf ?? [schema]).filter(variant => variant.type !== 'null')
  const literals = variants.flatMap(variant => variant.const === undefined ? [] : [variant.const])
  const open = variants.find(variant => variant.const === undefined)
  const main: Schema = open ?? { enum: literals }
  const word = open ? literals[0] : undefined
  const integer = main.type === 'integer'
  return {
    path, key, label: schema.title ?? key, sentence: schema.description ?? '', unit: schema.unit ?? '',
    kind: kindOf(main, word !== undefined), integer,
    nullable: (schema.anyOf ?? []).some(variant => variant.type === 'null'),
    options: (main.enum ?? main.items?.enum ?? []).filter(option => typeof option === 'string' || typeof option === 'number'),
    word: typeof word === 'string' ? word : '',
    group: main.properties ? fieldsOf(main, path) : [],
    default: schema.default, advanced: schema.advanced ?? false,
  }
}

function kindOf(schema: Schema, withWord: boolean): FieldKind {
  if (schema.properties) return 'choice-or-group'
  if (schema.type === 'boolean') return 'switch'
  if (schema.enum) return 'choice'
  if (schema.type === 'array') return schema.items?.enum ? 'choices' : schema.items?.type === 'string' ? 'words' : 'numbers'
  if (schema.type === 'number' || schema.type === 'integer') return withWord ? 'word-or-number' : 'number'
  return 'text'
}
