import type { EdgeCard, SiteCard } from '../contract/model'

export type Kind = SiteCard['kind']
export type Role = SiteCard['role']

/** How the channels of one site reach the input channels of another. */
export interface Edge {
  to: string
  /** direct: unchanged · pointwise: through a non-linearity · attention: mixed over tokens only · residual: added to a stream and normalised */
  via: EdgeCard['via']
  /** true when scaling an output channel of the source equals scaling the fed input column of the target */
  exact: boolean
}

/** One weighted layer of a backbone. Weights are out x in; `tensors` gives every tensor's shape. */
export interface Site {
  name: string
  kind: Kind
  role: Role
  /** block index; -1 before the first block, the number of blocks after the last */
  depth: number
  in: number
  out: number
  tensors: Readonly<Record<string, readonly number[]>>
  feeds: Edge[]
}

export const count = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1)
export const siteParameters = (site: Site): number => Object.values(site.tensors).reduce((n, shape) => n + count(shape), 0)
export const totalParameters = (sites: readonly Site[]): number => sites.reduce((n, site) => n + siteParameters(site), 0)
export const tensorName = (site: string, tensor: string): string => `${site}.${tensor}`

/** Weight and, if asked, bias of a fully connected layer or of a convolution seen as a matrix. */
export const matrixTensors = (out: number, inn: number, bias: boolean): Site['tensors'] =>
  ({ weight: [out, inn], ...(bias ? { bias: [out] } : {}) })
export const normTensors = (width: number): Site['tensors'] => ({ weight: [width], bias: [width] })

export const edgeCards = (sites: readonly Site[]): EdgeCard[] =>
  sites.flatMap(site => site.feeds.map(edge => ({ from: site.name, to: edge.to, via: edge.via, exact: edge.exact })))
export const siteCards = (sites: readonly Site[]): SiteCard[] =>
  sites.map(({ name, kind, role, depth, in: inn, out, tensors }) =>
    ({ name, kind, role, depth, in: inn, out, tensors: Object.fromEntries(Object.entries(tensors).map(([k, v]) => [k, [...v]])) }))
