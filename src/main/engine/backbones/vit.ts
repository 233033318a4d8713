import type { VitShape } from '../../contract/model'
import { attention } from '../nn/attention'
import { activation } from '../nn/ops'
import { interpolatePositions } from '../nn/positions'
import { matrixTensors, normTensors, type Edge, type Site } from '../sites'
import { tf, type Tensor } from '../tf'
import type { Net } from '../net'
import type { Stage } from './stage'

/** Vision transformer: ViT, DeiT and DINOv2 of any size (arXiv 2010.11929, 2012.12877, 2304.07193). */

const prefixTokens = (s: VitShape): number => (s.classToken ? 1 : 0) + (s.distillationToken ? 1 : 0) + s.registers
export const featureWidth = (s: VitShape): number => s.width * (s.pool === 'cls+mean' ? 2 : 1)
export const gridSide = (s: VitShape): number => Math.floor(s.imageSize / s.patch)
export const tokens = (s: VitShape): number => gridSide(s) ** 2 + prefixTokens(s)
/** Rows of the position table as the checkpoint stores it. */
export const positionRows = (s: VitShape): number =>
  s.positionGrid ** 2 + (s.positionsOnPrefix ? (s.classToken ? 1 : 0) + (s.distillationToken ? 1 : 0) : 0)

export function sites(s: VitShape): Site[] {
  const { width: d } = s
  const stem = [patchSite(s), ...embedSites(s), ...(s.preNorm ? [norm('norm_pre', d, -1, [])] : [])]
  const blocks = Array.from({ length: s.depth }, (_, i) => blockSites(s, i)).flat()
  const toHead: Edge[] = s.classes > 0 && s.pool !== 'cls+mean' ? [{ to: 'head', via: 'direct', exact: true }] : []
  const tail = [
    ...(s.finalNorm ? [norm('norm', d, s.depth, s.poolNorm ? [] : toHead)] : []),
    ...(s.poolNorm ? [norm('fc_norm', featureWidth(s), s.depth, toHead)] : []),
    ...headSites(s),
  ]
  return [...stem, ...blocks, ...tail]
}

const norm = (name: string, width: number, depth: number, feeds: Edge[]): Site =>
  ({ name, kind: 'norm', role: 'norm', depth, in: width, out: width, tensors: normTensors(width), feeds })

function patchSite(s: VitShape): Site {
  const inn = 3 * s.patch ** 2
  const feeds = Array.from({ length: s.depth }, (_, i) => ['q', 'k', 'v'].map(r => (
    { to: `blocks.${i}.${r}`, via: 'residual', exact: false } as const))).flat()
  return { name: 'patch_embed', kind: 'conv', role: 'patch', depth: -1, in: inn, out: s.width, tensors: matrixTensors(s.width, inn, !s.preNorm), feeds }
}

function embedSites(s: VitShape): Site[] {
  const embed = (name: string, role: Site['role'], rows: number): Site =>
    ({ name, kind: 'embed', role, depth: -1, in: rows, out: s.width, tensors: { weight: [rows, s.width] }, feeds: [] })
  return [
    ...(s.classToken ? [embed('cls_token', 'class', 1)] : []),
    ...(s.distillationToken ? [embed('dist_token', 'class', 1)] : []),
    ...(s.registers > 0 ? [embed('reg_token', 'register', s.registers)] : []),
    embed('pos_embed', 'position', positionRows(s)),
  ]
}

function headSites(s: VitShape): Site[] {
  if (s.classes === 0) return []
  const head = (name: string): Site => ({
    name, kind: 'linear', role: 'head', depth: s.depth, in: featureWidth(s), out: s.classes,
    tensors: matrixTensors(s.classes, featureWidth(s), s.headBias), feeds: [],
  })
  return [head('head'), ...(s.distillationHead ? [head('head_dist')] : [])]
}

function blockSites(s: VitShape, i: number): Site[] {
  const { width: d, mlp } = s
  const at = (n: string) => `blocks.${i}.${n}`
  const linear = (n: string, role: Site['role'], inn: number, out: number, bias: boolean, feeds: Edge[]): Site =>
    ({ name: at(n), kind: 'linear', role, depth: i, in: inn, out, tensors: matrixTensors(out, inn, bias), feeds })
  const direct = (...to: string[]): Edge[] => to.map(n => ({ to: at(n), via: 'direct', exact: true }))
  const scale = (n: string): Site[] => s.layerScale
    ? [{ name: at(n), kind: 'scale', role: 'scale', depth: i, in: d, out: d, tensors: { weight: [d] }, feeds: [] }] : []
  const next: Edge[] = i + 1 < s.depth
    ? ['q', 'k', 'v'].map(r => ({ to: `blocks.${i + 1}.${r}`, via: 'residual', exact: false }))
    : s.classes > 0 && s.pool !== 'cls+mean' ? [{ to: 'head', via: 'residual', exact: false }] : []
  return [
    norm(at('norm1'), d, i, direct('q', 'k', 'v')),
    linear('q', 'q', d, d, s.qkvBias, []),
    linear('k', 'k', d, d, s.qkvBias, []),
    linear('v', 'v', d, d, s.qkvBias, [{ to: at('proj'), via: 'attention', exact: true }]),
    linear('proj', 'o', d, d, true, (s.gatedMlp ? ['gate', 'fc1'] : ['fc1']).map(n => ({ to: at(n), via: 'residual', exact: false }))),
    ...scale('ls1'),
    norm(at('norm2'), d, i, s.gatedMlp ? direct('gate', 'fc1') : direct('fc1')),
    ...(s.gatedMlp ? [linear('gate', 'gate', d, mlp, true, [])] : []),
    // a gate multiplies channel by channel, so behind it a scale of `up` reaches `down` unchanged
    linear('fc1', 'up', d, mlp, true, [{ to: at('fc2'), via: 'pointwise', exact: s.gatedMlp }]),
    linear('fc2', 'down', mlp, d, true, next),
    ...scale('ls2'),
  ]
}

/** Pixels to patches, every block, pooling, and the head: logits [B, classes], or features [B, F] when there is none. */
export function stages(s: VitShape): Stage[] {
  const inside = [tokens(s), s.width]
  const stem: Stage = { name: 'patches', entering: [s.imageSize, s.imageSize, 3], owns: site => site.depth < 0, run: (net, x) => stemOf(net, s, x) }
  const blocks = Array.from({ length: s.depth }, (_, i): Stage =>
    ({ name: `blocks.${i}`, entering: inside, owns: site => site.depth === i, run: (net, x) => net.part(() => block(net, s, i, x)) }))
  const atEnd = (site: Site) => site.depth === s.depth, isHead = (site: Site) => atEnd(site) && site.role === 'head'
  // a distilled model's second head reads a token of its own
  if (s.distillationHead) return [stem, ...blocks, { name: 'heads', entering: inside, owns: atEnd, run: (net, x) => distilled(net, s, x) }]
  const tail: Stage = { name: 'norm', entering: inside, owns: site => atEnd(site) && !isHead(site), run: (net, x) => features(net, s, x).pooled }
  const head: Stage = { name: 'head', entering: [featureWidth(s)], owns: isHead, run: (net, x) => net.linear('head', x) }
  return [stem, ...blocks, tail, ...(s.classes > 0 ? [head] : [])]
}

/** pixels [B, H, W, 3], normalised -> [B, T, d] */
function stemOf(net: Net, s: VitShape, pixels: Tensor): Tensor {
  const x = net.part(() => embed(net, s, pixels))
  return s.preNorm ? net.norm('norm_pre', x, s.epsilon) : x
}

function features(net: Net, s: VitShape, x: Tensor): { pooled: Tensor; normed: Tensor } {
  const normed = s.finalNorm ? net.norm('norm', x, s.epsilon) : x, pooled = pool(s, normed)
  return { normed, pooled: s.poolNorm ? net.norm('fc_norm', pooled, s.epsilon) : pooled }
}

function distilled(net: Net, s: VitShape, x: Tensor): Tensor {
  const { pooled, normed } = features(net, s, x)
  if (s.classes === 0) return pooled
  return tf.mul(tf.add(net.linear('head', pooled), net.linear('head_dist', token(normed, 1))), 0.5)
}

function embed(net: Net, s: VitShape, pixels: Tensor): Tensor {
  const [batch, h, w] = [pixels.shape[0]!, Math.floor(pixels.shape[1]! / s.patch), Math.floor(pixels.shape[2]! / s.patch)]
  const patches = unfold(pixels, s.patch, h, w)
  const x = net.linear('patch_embed', patches)
  const prefix = (name: string, rows: number) => net.weight(name).reshape([1, rows, s.width]).tile([batch, 1, 1])
  const heads: Tensor[] = []
  if (s.classToken) heads.push(prefix('cls_token', 1))
  if (s.distillationToken) heads.push(prefix('dist_token', 1))
  const table = interpolatePositions(net.weight('pos_embed'), s.positionGrid, h, w, s.positionInterpolation)
  const registers = s.registers > 0 ? [prefix('reg_token', s.registers)] : []
  const join = (parts: Tensor[]) => parts.length === 1 ? parts[0]! : tf.concat(parts, 1)
  if (s.positionsOnPrefix) {
    // registers carry no position: they go between the prefix and the patches after the addition
    const placed = tf.add(join([...heads, x]), table)
    if (registers.length === 0) return placed
    const [head, rest] = tf.split(placed, [heads.length, h * w], 1) as [Tensor, Tensor]
    return join([head, ...registers, rest])
  }
  return join([...heads, ...registers, tf.add(x, table)])
}

/** pixels [B, H, W, 3] -> patches [B, h w, 3 p²], each in the order channel, row, column of a convolution's kernel. */
function unfold(pixels: Tensor, p: number, h: number, w: number): Tensor {
  const batch = pixels.shape[0]!
  const whole = pixels.shape[1] === h * p && pixels.shape[2] === w * p ? pixels : pixels.slice([0, 0, 0, 0], [-1, h * p, w * p, -1])
  return whole.reshape([batch, h, p, w, p, 3]).transpose([0, 1, 3, 5, 2, 4]).reshape([batch, h * w, 3 * p * p])
}

function block(net: Net, s: VitShape, i: number, x: Tensor): Tensor {
  const at = (n: string) => `blocks.${i}.${n}`
  const h = net.norm(at('norm1'), x, s.epsilon)
  const mixed = attention(net.linear(at('q'), h), net.linear(at('k'), h), net.linear(at('v'), h), s.heads)
  x = net.residual(x, scaled(net, s, at('ls1'), net.dropout(net.linear(at('proj'), mixed))), i / Math.max(1, s.depth - 1))
  const hidden = mlp(net, s, at, net.norm(at('norm2'), x, s.epsilon))
  return net.residual(x, scaled(net, s, at('ls2'), net.dropout(hidden)), i / Math.max(1, s.depth - 1))
}

function mlp(net: Net, s: VitShape, at: (n: string) => string, h: Tensor): Tensor {
  const up = net.linear(at('fc1'), h)
  return net.linear(at('fc2'), s.gatedMlp ? tf.mul(activation(s.activation, net.linear(at('gate'), h)), up) : activation(s.activation, up))
}

const scaled = (net: Net, s: VitShape, name: string, x: Tensor): Tensor => s.layerScale ? tf.mul(x, net.weight(name)) : x
const token = (x: Tensor, index: number): Tensor => x.slice([0, index, 0], [-1, 1, -1]).squeeze([1])

/** timm's features of a distilled model without a head. */
const averagesTokens = (s: VitShape): boolean => s.distillationToken && s.classes === 0 && s.positionInterpolation === 'timm'

function pool(s: VitShape, x: Tensor): Tensor {
  const skip = prefixTokens(s)
  const mean = () => tf.mean(x.slice([0, skip, 0], [-1, -1, -1]), 1)
  if (averagesTokens(s)) return tf.mul(tf.add(token(x, 0), token(x, 1)), 0.5)
  if (s.pool === 'cls') return token(x, 0)
  if (s.pool === 'mean') return mean()
  return tf.concat([token(x, 0), mean()], 1)
}
