import { AppError } from '../../../contract/errors'
import type { PeftTensor } from '../../methods/define'
import { count, type Site } from '../../sites'

export const invalid = (message: string, hint?: string): AppError => new AppError('adapter-invalid', message, hint ? { hint } : {})

/** Sizes of 1 do not count: PEFT keeps vectors as [n, 1] or [1, n], and factors of convolutions as kernels. */
export function wantShape(what: string, { shape }: PeftTensor, want: readonly number[]): void {
  if (shape[0] !== want[0] || count(shape) !== count(want)) throw invalid(`${what} has the shape [${shape.join(', ')}]; this backbone needs [${want.join(', ')}].`)
}

/** The value of the first pattern that matches a layer's path as PEFT matches: (.*\.)?(pattern)$. */
export function matching(patterns: Readonly<Record<string, number>>, path: string): number | undefined {
  return Object.entries(patterns).find(([pattern]) => regex(`(.*\\.)?(${pattern})`, pattern).test(path))?.[1]
}

/** A Python regular expression over a whole path. */
export function regex(source: string, shown = source): RegExp {
  try {
    return new RegExp(`^(?:${source.replace(/\(\?P</g, '(?<')})$`)
  } catch {
    throw invalid(`adapter_config.json: "${shown}" is not a regular expression that can be read here.`)
  }
}

const roles = ['q', 'k', 'v', 'o', 'gate', 'up', 'down']
/** The projections that some sites are, in the usual order. */
export const rolesOf = (sites: readonly Site[]): string[] => roles.filter(role => sites.some(site => site.kind === 'linear' && site.role === role))
