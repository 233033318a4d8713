/** `{ a: { b: 1 } }` -> `a.b: 1`; lists stay whole. How recipes are filtered, grouped and compared. */
export function fieldsOf(value: object, prefix = ''): Map<string, unknown> {
  const out = new Map<string, unknown>()
  for (const [key, part] of Object.entries(value) as [string, unknown][]) {
    if (part === undefined) continue
    const nested = typeof part === 'object' && part !== null && !Array.isArray(part)
    if (nested) for (const [inner, leaf] of fieldsOf(part, `${prefix}${key}.`)) out.set(inner, leaf)
    else out.set(prefix + key, part)
  }
  return out
}
