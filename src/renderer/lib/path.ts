export type Json = string | number | boolean | null | Json[] | { [key: string]: Json | undefined }
export type JsonObject = { [key: string]: Json | undefined }

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value at a dotted path, such as train.learningRate. */
export function getAt(root: JsonObject, path: string): Json | undefined {
  return path.split('.').reduce<Json | undefined>((at, key) => isObject(at) ? at[key] : undefined, root)
}

/** Sets a value at a dotted path, or removes it when the value is undefined. Groups stay: `san: {}` is SAN with its defaults. */
export function setAt(root: JsonObject, path: string, value: Json | undefined): void {
  const [key = '', ...rest] = path.split('.')
  if (rest.length === 0) {
    if (value === undefined) delete root[key]
    else root[key] = value
    return
  }
  const inner = root[key]
  const child: JsonObject = isObject(inner) ? inner : {}
  if (!isObject(inner) && value === undefined) return
  setAt(child, rest.join('.'), value)
  root[key] = child
}

export const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

/** The file or folder that a path of a disk leads to. */
export const lastPart = (path: string): string => path.split(/[\\/]/).findLast(Boolean) ?? path
