import { TOLERANCE } from './check.mjs'
import { figuresOf, fastest, matrixShare, speedup } from './figures.mjs'
import { backbones, methods, modes } from './grid.mjs'
import { BUSY } from './quiet.mjs'
import { judge } from './targets.mjs'

const TORCH = modes.filter(({ side }) => side === 'torch').map(({ id }) => id)

/** The whole report as Markdown. */
export function renderReport(results) {
  const parts = [heading(results), ...present(results, 'row', backbones).map((row) => rowReport(results, row)), targetTable(results), problems(results)]
  return `${parts.filter(Boolean).join('\n\n')}\n`
}

function heading({ machine, versions, matrixRate, cells }) {
  const older = Object.values(cells).filter(({ mode, identity }) => mode.startsWith('engram') && !identity?.startsWith(versions.engine)).length
  const { processor, cores, memoryBytes, flags, gpu } = machine
  const days = [...new Set(Object.values(cells).map(({ at }) => at.slice(0, 10)))].sort()
  const amd = /AMD/.test(processor) ? ' On this AMD processor torch\'s f32 library uses no AVX-512, which its f32 figures suffer from.' : ''
  return [
    `# Engram ${versions.commit ?? ''} beside PyTorch ${versions.torch}`,
    `${processor}, ${cores} cores, ${(memoryBytes / 2 ** 30).toFixed(0)} GB${gpu ? `, ${gpu} (TF32 on, both sides)` : ''}; ${flags.join(', ') || 'no vector extensions known'}. ` +
      `TensorFlow ${versions.tensorflow}, timm ${versions.timm}, peft ${versions.peft}, Node ${versions.node}. Measured ${days.join(', ')}.${amd}`,
    busyWarning(cells),
    older > 0 ? `${older} of Engram's cells were measured with earlier sources.` : '',
    'A training step with AdamW on 224 px images, from uint8 pixels to the loss in hand. How it is measured: [README](../README.md).',
    matrixRate ? `Matrix products of a ViT-B block, GFLOP/s: ${rates(matrixRate)}.` : '',
  ].filter(Boolean).join('\n\n')
}

function busyWarning(cells) {
  const busy = Object.values(cells).filter(({ status, others }) => status === 'measured' && others > BUSY)
  return busy.length === 0 ? '' : `**Not to be quoted**: other programs were using the processor before ${busy.length} of ${Object.keys(cells).length} cells.`
}

const rates = (matrixRate) => Object.entries(matrixRate)
  .map(([library, { float32, bfloat16 }]) => `${library} ${float32.toFixed(0)} f32 and ${bfloat16.toFixed(0)} bf16`).join(', ')

/** What was measured at all, in the order of the grid. */
const present = ({ cells }, field, all) => Object.keys(all).filter((id) => Object.values(cells).some((cell) => cell[field] === id))

function rowReport(results, row) {
  const columns = modes.filter(({ id }) => Object.values(results.cells).some((cell) => cell.mode === id && cell.row === row))
  const lines = present(results, 'method', methods)
  const line = (title, method, show) => [title, ...columns.map((mode) => shown(results, row, method, mode.id, show))]
  const of = (title, show) => table(['', ...columns.map((mode) => mode.title)], lines.flatMap((method) => [
    ...(method === 'linear-probe' && show === speed ? [line('Linear probe, first epoch', method, firstEpoch)] : []),
    line(methods[method].title, method, show),
  ]), title)
  return [
    `## ${backbones[row].title}, batch ${backbones[row].batch}`,
    of('ms per image (images/s)', speed),
    ratioTable(results, row, lines),
    of('Peak resident memory, GB', ({ peakBytes }) => (peakBytes / 1e9).toFixed(2)),
    of('Compile, to the end of the first step, s', ({ compileSeconds }) => (compileSeconds === null ? '' : compileSeconds.toFixed(1))),
  ].join('\n\n')
}

const speed = ({ ms }) => `${figure(ms)} (${figure(1000 / ms)})`
/** PyTorch's epochs are all alike. */
const firstEpoch = ({ ms, firstEpochMs }) => speed({ ms: firstEpochMs ?? ms })

function shown(results, row, method, mode, show) {
  const figures = figuresOf(results, row, method, mode)
  if (figures.problem) return figures.problem === 'not measured' ? '' : figures.problem.split(':')[0]
  return show(figures)
}

const figure = (value) => (value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0))

/** What Engram gains and needs beside PyTorch. */
function ratioTable(results, row, lines) {
  const times = (value) => (value === null || Number.isNaN(value) ? '' : `${value.toFixed(2)}x`)
  const share = (value) => (value === null ? '' : `${(100 * value).toFixed(0)} %`)
  const ms = (method, mode) => figuresOf(results, row, method, mode).ms
  const matrix = row === 'vit-b'
  const heads = ['', 'compiled f32 / torch eager f32', 'compiled f32 / torch.compile f32', 'bf16 / torch\'s best', 'peak RSS f32 / torch eager f32', 'peak RSS bf16 / torch autocast',
    ...(matrix ? ['f32, of the matrix rate', 'bf16, of the matrix rate'] : [])]
  return table(heads, lines.map((method) => [
    methods[method].title,
    times(speedup(results, row, method, 'engram-compiled', ms(method, 'torch-eager'))),
    times(speedup(results, row, method, 'engram-compiled', ms(method, 'torch-compile'))),
    times(speedup(results, row, method, 'engram-bf16', fastest(results, row, method, TORCH))),
    times(peakRatio(results, row, method, 'engram-compiled', 'torch-eager')),
    times(peakRatio(results, row, method, 'engram-bf16', 'torch-bf16')),
    ...(matrix ? ['engram-compiled', 'engram-bf16'].map((mode) => share(matrixShare(results, row, method, mode))) : []),
  ]), 'Engram beside PyTorch: speed above 1 and memory below 1 are Engram\'s gain')
}

const peakRatio = (results, row, method, ours, theirs) =>
  (figuresOf(results, row, method, ours).peakBytes ?? NaN) / (figuresOf(results, row, method, theirs).peakBytes ?? NaN)

const targetTable = (results) =>
  `## Targets\n\n${table(['target', '', 'worst, or what misses it'], judge(results).map(({ text, verdict, detail }) => [text, verdict, detail]))}`

function problems(results) {
  const lines = Object.values(results.cells).flatMap(({ row, method, mode }) => {
    const { problem } = figuresOf(results, row, method, mode)
    return problem ? [`- ${backbones[row].title}, ${methods[method].title}, ${modes.find(({ id }) => id === mode).title}: ${problem}`] : []
  })
  const [f32, bf16] = [TOLERANCE.float32, TOLERANCE.bfloat16]
  const rule = `Checked in every cell: the number of trained values, the first loss (to ${f32.first} of the row's reference in f32, ${bf16.first} in bf16) and the next two (${f32.next}, ${bf16.next}).`
  return `## Checks\n\n${rule}\n\n${lines.length > 0 ? lines.join('\n') : 'All cells agree.'}`
}

function table(heads, lines, title) {
  const row = (cells) => `| ${cells.join(' | ')} |`
  const text = [row(heads), row(heads.map((_, i) => (i === 0 ? '---' : '---:'))), ...lines.map(row)].join('\n')
  return title ? `${title}:\n\n${text}` : text
}
