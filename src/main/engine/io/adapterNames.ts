import type { VitShape } from '../../contract/model'
import { keyMap, type Module, type Naming } from './keymaps/vit'
import { regex } from './peft/common'

export const ROOT = 'base_model.model.'
const HEADS = ['head', 'head_dist', 'classifier', 'cls_classifier', 'distillation_classifier']
export const isHeadPath = (path: string): boolean => HEADS.includes(path)

/** All layers of a backbone under each name that an adapter may have for them. */
export interface Layers {
  find(path: string): Module | undefined
  /** layers named in the same manner as this one */
  like(path: string): readonly Module[]
}

export function layersOf(shape: VitShape, naming: Naming): Layers {
  const prefixes = naming.format === 'transformers' ? [`${naming.model}.`, ''] : ['']
  const tables = prefixes.flatMap(prefix => {
    const { modules, formerModules } = keyMap(shape, naming.format === 'transformers' ? { ...naming, prefix } : { format: 'timm' })
    return [modules, formerModules]
  })
  const indices = tables.map(table => new Map(table.map(module => [module.path, module])))
  return {
    find: path => indices.map(index => index.get(path)).find(module => module !== undefined),
    like: path => tables.find((_, i) => indices[i]!.has(path)) ?? [],
  }
}

/** Does PEFT's target_modules mean this layer? A list means names at the end of a path, a text a regular expression. */
export const targets = (wanted: string | readonly string[], path: string): boolean =>
  typeof wanted === 'string' ? regex(wanted).test(path) : wanted.some(name => path === name || path.endsWith(`.${name}`))

/** Layers of timm without weights whose names end like those of others. */
const timmDecoys = ['patch_embed.norm', 'blocks.0.attn.norm', 'blocks.0.mlp.norm']

/** The shortest end of each path that means no layer outside `chosen`: what a person would write into target_modules. */
export function shortNames(chosen: readonly string[], modules: readonly string[], naming: Naming): Map<string, string> {
  const set = new Set(chosen), all = naming.format === 'transformers' ? modules : [...modules, ...timmDecoys]
  return new Map(chosen.map(path => {
    const parts = path.split('.')
    const ends = parts.map((_, i) => parts.slice(parts.length - 1 - i).join('.'))
    const name = ends.find(end => !/^\d/.test(end) && all.every(other => set.has(other) || !targets([end], other)))
    return [path, name ?? path]
  }))
}

/** target_modules that mean exactly `names`: a list, or where an end means too much an expression. */
export function targetModules(names: ReadonlyMap<string, string>, naming: Naming): string[] | string {
  const list = [...new Set(names.values())].sort()
  const wide = naming.format === 'transformers' ? [] : list.filter(name => timmDecoys.some(decoy => targets([name], decoy)))
  if (wide.length === 0) return list
  const escaped = (name: string) => name.replaceAll('.', '\\.')
  const ends = list.filter(name => !wide.includes(name)).map(escaped)
  return [...(ends.length > 0 ? [`(.*\\.)?(${ends.join('|')})`] : []), ...wide.map(escaped)].join('|')
}
