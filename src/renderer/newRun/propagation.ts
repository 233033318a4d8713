import type { SanPlan } from '@contract/plan'
import { plural } from '../lib/format'
import { blockOf, shortSite } from '../lib/site'

export type Edge = SanPlan['edges'][number]
type Layer = SanPlan['layers'][number]
/** A layer of the drawn block. `above` and `below` name what is joined to it outside the block. */
export interface SketchNode { name: string; label: string; width: number | null; above: Outside | null; below: Outside | null }
export interface Outside { text: string; exact: boolean }
export interface SketchArrow { from: number; to: number; edge: Edge }
/** One block of the propagation, layers in order, with how often it is repeated. */
export interface Sketch { blocks: number; nodes: SketchNode[]; stubs: string[]; arrows: SketchArrow[] }

export const viaWords: Record<Edge['via'], string> = { direct: 'direct', pointwise: 'non-linearity', attention: 'attention', residual: 'residual, norm' }

/** Draws the first block that gains flow in; all others look alike. */
export function sketchOf({ edges, layers }: SanPlan): Sketch | null {
  const touched = [...new Set(edges.flatMap(edge => [blockOf(edge.from), blockOf(edge.to)]))].filter(Boolean)
  const block = touched[0]
  if (block === undefined) return null
  const inside = layers.filter(layer => blockOf(layer.site) === block)
  const joined = (layer: Layer) => edges.some(edge => edge.from === layer.site || edge.to === layer.site)
  const nodes = inside.filter(joined).map((layer): SketchNode => ({
    name: layer.site, label: shortSite(layer.site), width: layer.gain ? layer.width : null,
    above: entering(layer.site, edges), below: leaving(layer.site, block, edges),
  }))
  const at = (name: string) => nodes.findIndex(node => node.name === name)
  return {
    blocks: touched.length, nodes, stubs: inside.filter(layer => !joined(layer)).map(layer => shortSite(layer.site)),
    arrows: edges.filter(edge => at(edge.from) >= 0 && at(edge.to) >= 0).map(edge => ({ from: at(edge.from), to: at(edge.to), edge })),
  }
}

/** Only what comes from outside of all blocks: other blocks are alike, and theirs is drawn where it leaves. */
function entering(site: string, edges: readonly Edge[]): Outside | null {
  const found = edges.filter(edge => edge.to === site && blockOf(edge.from) === '')
  return found.length === 0 ? null : { text: found.map(edge => edge.from).join(', '), exact: found.every(edge => edge.exact) }
}

function leaving(site: string, block: string, edges: readonly Edge[]): Outside | null {
  const found = edges.filter(edge => edge.from === site && blockOf(edge.to) !== block), targets = found.map(edge => edge.to)
  if (found.length === 0) return null
  const next = targets.every(target => blockOf(target) === followed(block)), names = targets.map(target => shortSite(target))
  const text = !next ? targets.join(', ') : names.length === 1 && names[0] === shortSite(site) ? 'one block on' : `next ${names.join(', ')}`
  return { text, exact: found.every(edge => edge.exact) }
}

const followed = (block: string): string => block.replace(/\d+$/, number => String(Number(number) + 1))

/** What the drawing says, with the number of paths. */
export function sketchSentence({ edges, layers }: SanPlan, sketch: Sketch): string {
  const exact = edges.filter(edge => edge.exact).length, rows = edges.some(edge => edge.axis === 'output')
  const kinds = exact === edges.length ? 'all exact' : exact === 0 ? 'all approximate' : `${exact} exact and ${edges.length - exact} approximate`
  const attention = sketch.stubs.length > 0 && sketch.stubs.every(stub => layers.some(layer => shortSite(layer.site) === stub && (layer.role === 'q' || layer.role === 'k')))
  const [has, act] = sketch.stubs.length === 1 ? ['has', 'acts'] : ['have', 'act']
  const idle = sketch.stubs.length === 0 ? '' : ` ${sketch.stubs.join(', ').replace(/, (?=[^,]*$)/, ' and ')} ${attention ? `${act} inside the softmax and ${has}` : has} no target.`
  return `${plural(edges.length, 'path')} in ${plural(sketch.blocks, 'block')}, ${kinds}: a layer's gain also scales the ${rows ? 'output rows' : 'input columns'} of the layer its arrow leads to.${idle}`
}

/** Paths that fall out, one line for all blocks alike. */
export function refusedLines({ refused }: SanPlan): string[] {
  const lines = new Map<string, number>()
  for (const { from, to, gains, room, axis } of refused) {
    const text = `${shortSite(from)} to ${blockOf(from) === blockOf(to) ? '' : 'the next '}${shortSite(to)}: ${gains.toLocaleString('en-US')} gains for ${room.toLocaleString('en-US')} ${axis === 'input' ? 'input columns' : 'output rows'}`
    lines.set(text, (lines.get(text) ?? 0) + 1)
  }
  return [...lines].map(([text, times]) => `${text}, ${plural(times, 'path')} left out`)
}
