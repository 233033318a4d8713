import { figuresOf, fastest, matrixShare, speedup } from './figures.mjs'
import { backbones, methods, modes } from './grid.mjs'

// The project's own targets: each is a bound on a list of measured values, and is met when the worst value keeps it.

const TUNED = ['lora', 'ssf', 'san-ssf']
const rows = Object.keys(backbones)
const TORCH = modes.filter(({ side }) => side === 'torch').map(({ id }) => id)
const TORCH_F32 = ['torch-eager', 'torch-compile']
const ENGRAM = ['engram-eager', 'engram-compiled', 'engram-bf16']
const factor = (value) => `${value.toFixed(2)}x`
const percent = (value) => `${(100 * value).toFixed(0)} %`
const seconds = (value) => `${value.toFixed(1)} s`
const over = (methodIds, value) => (results) => rows.flatMap((row) => methodIds.map((method) => at(row, method, value(results, row, method))))
const at = (row, method, value) => ({ where: `${backbones[row].title} ${methods[method].title}`, value })
const onVitB = (methodIds, value) => (results) => methodIds.map((method) => at('vit-b', method, value(results, 'vit-b', method)))
const ms = (results, row, method, mode) => figuresOf(results, row, method, mode).ms

const targets = [
  { text: 'compiled f32 ≥ 1.7x torch eager f32 (LoRA-8, SSF, SAN + SSF)', least: 1.7, unit: factor,
    values: over(TUNED, (r, row, method) => speedup(r, row, method, 'engram-compiled', ms(r, row, method, 'torch-eager'))) },
  { text: 'compiled f32 ≥ 1.5x torch.compile f32 (LoRA-8, SSF, SAN + SSF)', least: 1.5, unit: factor,
    values: over(TUNED, (r, row, method) => speedup(r, row, method, 'engram-compiled', ms(r, row, method, 'torch-compile'))) },
  { text: 'compiled f32 ≥ 80 % of the f32 matrix rate on ViT-B', least: 0.8, unit: percent,
    values: onVitB(TUNED, (r, row, method) => matrixShare(r, row, method, 'engram-compiled')) },
  { text: 'compiled bf16 ≥ 1.25x the best of torch\'s four modes (LoRA-8, SSF, SAN + SSF)', least: 1.25, unit: factor,
    values: over(TUNED, (r, row, method) => speedup(r, row, method, 'engram-bf16', fastest(r, row, method, TORCH))) },
  { text: 'compiled bf16 ≥ 70 % of the bf16 matrix rate on ViT-B', least: 0.7, unit: percent,
    values: onVitB(TUNED, (r, row, method) => matrixShare(r, row, method, 'engram-bf16')) },
  { text: 'full fine-tuning, compiled f32 ≥ 1.3x torch\'s best f32', least: 1.3, unit: factor,
    values: over(['full'], (r, row, method) => speedup(r, row, method, 'engram-compiled', fastest(r, row, method, TORCH_F32))) },
  { text: 'linear probe from the second epoch on ≥ 20x its own first', least: 20, unit: factor,
    values: over(['linear-probe'], (r, row, method) => {
      const figures = figuresOf(r, row, method, 'engram-compiled')
      return figures.ms === undefined ? null : figures.firstEpochMs / figures.ms
    }) },
  { text: 'auto at most 5 % slower than the best setting by hand', most: 1.05, unit: factor,
    values: over(TUNED, (r, row, method) => {
      const auto = ms(r, row, method, 'engram-auto'), best = fastest(r, row, method, ENGRAM)
      return auto === undefined || best === null ? null : auto / best
    }) },
  { text: 'peak RSS, compiled f32, at most torch\'s f32 (the better one)', most: 1, unit: factor, values: memory('engram-compiled', TORCH_F32) },
  { text: 'peak RSS, compiled bf16, at most torch\'s bf16 (the better one)', most: 1, unit: factor,
    values: memory('engram-bf16', ['torch-bf16', 'torch-compile-bf16']) },
  { text: 'compile on ViT-B under 5 s', most: 5, unit: seconds,
    values: (r) => ['engram-compiled', 'engram-bf16'].flatMap((mode) => TUNED.map((method) =>
      at('vit-b', method, figuresOf(r, 'vit-b', method, mode).compileSeconds ?? null))) },
  { text: 'compiled ≥ 1.7x eager on ViT-Ti', least: 1.7, unit: factor,
    values: (r) => TUNED.map((method) => at('vit-ti', method, speedup(r, 'vit-ti', method, 'engram-compiled', ms(r, 'vit-ti', method, 'engram-eager')))) },
  { text: 'SAN + SSF at most 3 % slower than SSF, compiled f32', most: 1.03, unit: factor,
    values: over(['san-ssf'], (r, row, method) => {
      const own = ms(r, row, method, 'engram-compiled'), plain = ms(r, row, 'ssf', 'engram-compiled')
      return own === undefined || plain === undefined ? null : own / plain
    }) },
]

function memory(mode, torchModes) {
  return over(Object.keys(methods), (results, row, method) => {
    const peak = (id) => figuresOf(results, row, method, id).peakBytes
    const theirs = torchModes.map(peak).filter((bytes) => bytes !== undefined)
    return peak(mode) === undefined || theirs.length === 0 ? null : peak(mode) / Math.min(...theirs)
  })
}

/** Every target as { text, verdict, detail }; the detail names each value that misses it, or the closest one. */
export function judge(results) {
  return targets.map(({ text, least, most, unit, values }) => {
    const known = values(results).filter(({ value }) => value !== null)
    if (known.length === 0) return { text, verdict: 'not measured', detail: '' }
    const margin = ({ value }) => (least === undefined ? most / value : value / least)
    const sorted = [...known].sort((a, b) => margin(a) - margin(b))
    const missed = sorted.filter((one) => margin(one) < 1)
    const shown = missed.length > 0 ? missed : sorted.slice(0, 1)
    const verdict = missed.length > 0 ? `missed in ${missed.length} of ${known.length}` : 'met'
    return { text, verdict, detail: shown.map(({ where, value }) => `${where} ${unit(value)}`).join(', ') }
  })
}
