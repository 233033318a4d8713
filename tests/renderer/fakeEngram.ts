import type { EngramMap, EngramReport, SiteVector } from '@contract/engram'
import type { VitShape } from '@contract/model'
import { backboneOf } from '../../src/main/engine/backbones/index'
import { parseMethod } from '../../src/main/engine/recipe'
import { engramMap } from '../../src/main/engine/san/record'
import { createTuning } from '../../src/main/engine/tuning'
import { random } from './fakeRuns'

/** Invented gains that grow towards the middle of the network, on the real map of SSF with SAN. */
export function fakeEngram(shape: VitShape, steps: number, seed: number) {
  const settings = parseMethod({ type: 'ssf', san: {} })
  const map: EngramMap = engramMap(createTuning(backboneOf(shape).sites(shape), settings.method, settings.config, settings.san))
  const recorded = Array.from({ length: Math.floor(steps / 50) + 1 }, (_, i) => i * 50)
  const gauss = (next: () => number) => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(6.2832 * next())
  const growth = (step: number) => 1 - Math.exp(-step / 600)

  function gain(site: EngramMap['sites'][number], step: number): Float32Array {
    const next = random(site.name.length * 31 + site.block * 7 + site.out), own = random(seed * 97 + site.block * 11 + site.out), size = { up: 0.05, v: 0.04 }[site.role as string] ?? 0.024
    const middle = 0.3 + Math.exp(-((site.block - shape.depth * 0.6) ** 2) / 14)
    return Float32Array.from({ length: site.out }, () => { const g = gauss(next) * 0.8 + gauss(own) * 0.6; return Math.exp(Math.sign(g) * Math.abs(g) ** 1.5 * size * middle * growth(step)) })
  }
  function vectors(step: number): SiteVector[] {
    const gains = new Map(map.sites.map(site => [site.name, gain(site, step)]))
    return [
      ...map.sites.flatMap(site => [
        { of: 'gain' as const, site: site.name, values: gains.get(site.name)! },
        { of: 'shift' as const, site: site.name, values: gains.get(site.name)!.map(x => (x - 1) * 0.4) },
      ]),
      ...map.paths.map(path => ({ of: 'columns' as const, site: path.to, values: gains.get(path.from[0]!)! })),
    ]
  }
  const mean = (values: Float32Array) => values.reduce((sum, x) => sum + Math.abs(x - 1), 0) / values.length
  return {
    report: (): EngramReport => ({ map, checkpoints: [900, 1350, 1600], records: recorded.map(step => ({ step, distances: map.sites.map(site => mean(gain(site, step))) })) }),
    vectors,
  }
}
