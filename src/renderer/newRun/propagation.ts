import type { PlanReport } from '@contract/plan'
import { blockOf, shortSite } from '../lib/site'

export type Edge = NonNullable<PlanReport['san']>['edges'][number]
export type Site = PlanReport['trainable']['sites'][number]
export interface SketchNode { name: string; label: string; width: number; linked: boolean }
export interface SketchArrow { from: number; to: number; edge: Edge }
/** One block of the propagation: its layers in order, arrows within, and what enters from or leaves to other blocks. */
export interface Sketch { block: string; blocks: number; nodes: SketchNode[]; stubs: string[]; arrows: SketchArrow[]; entering: { to: number; from: string; edge: Edge }[]; leaving: { from: number; to: string; edge: Edge }[] }

/** Draws one representative block: the second where there is one, because it also shows what enters it. */
export function sketchOf(edges: readonly Edge[], sites: readonly Site[]): Sketch | null {
  const blocks = [...new Set(sites.map(site => blockOf(site.site)).filter(Boolean))]
  const touched = blocks.filter(block => edges.some(edge => blockOf(edge.to) === block || blockOf(edge.from) === block))
  const crossing = edges.some(edge => blockOf(edge.from) !== blockOf(edge.to))
  const block = crossing ? touched[1] ?? touched[0] : touched[0]
  if (block === undefined) return null
  const inBlock = sites.filter(site => blockOf(site.site) === block && site.kind !== 'norm')
  const linked = (name: string) => edges.some(edge => edge.from === name || edge.to === name)
  const nodes = inBlock.filter(site => linked(site.site)).map(site => ({ name: site.site, label: shortSite(site.site, block), width: gainWidth(site), linked: true }))
  const at = (name: string) => nodes.findIndex(node => node.name === name)
  const within = edges.filter(edge => at(edge.from) >= 0 && at(edge.to) >= 0)
  return {
    block, blocks: touched.length, nodes, stubs: inBlock.filter(site => !linked(site.site)).map(site => shortSite(site.site, block)),
    arrows: within.map(edge => ({ from: at(edge.from), to: at(edge.to), edge })),
    entering: edges.filter(edge => at(edge.from) < 0 && at(edge.to) >= 0).map(edge => ({ to: at(edge.to), from: edge.from, edge })),
    leaving: edges.filter(edge => at(edge.from) >= 0 && at(edge.to) < 0).map(edge => ({ from: at(edge.from), to: edge.to, edge })),
  }
}

// A gain has one value per output channel, the first size of a [out, in] matrix.
const gainWidth = (site: Site) => site.shape[0] ?? 0

export const viaWords: Record<Edge['via'], string> = { direct: 'direct', pointwise: 'non-linearity', attention: 'attention', residual: 'residual, norm' }

/** The sentence below the drawing. */
export function sketchSentence(sketch: Sketch): string {
  const rows = [...sketch.arrows, ...sketch.entering, ...sketch.leaving].some(one => one.edge.axis === 'output')
  const where = sketch.blocks > 1 ? `In each of ${sketch.blocks} blocks, a` : 'A'
  const target = rows ? 'the output rows of the layer it points to' : 'the input columns of the layer to its right'
  const idle = sketch.stubs.length === 0 ? '' : ` ${sketch.stubs.join(' and ')} ${sketch.stubs.length === 1 ? 'has' : 'have'} no target.`
  return `${where} layer's own gain also scales ${target}.${idle}`
}
