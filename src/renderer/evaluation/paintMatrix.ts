import { palettes, shape, type Palette, type ThemeName } from '../theme/tokens'
import { type Cell, type Confusion, sameCell } from './confusion'

export type MatrixMode = 'count' | 'share'
export interface MatrixLook { width: number; height: number; theme: ThemeName; mode: MatrixMode; selected: Cell | null }

const steps = ['seq-0', 'seq-1', 'seq-2', 'seq-3', 'seq-4', 'seq-5', 'seq-6'] as const
const SMALLEST_WITH_TEXT = 22

/** Draws the cells: the diagonal grey, mistakes darker with their number, as square root so that single ones show. */
export function paintMatrix(canvas: HTMLCanvasElement, confusion: Confusion, look: MatrixLook): void {
  const { size } = confusion, { width, height } = look, ratio = window.devicePixelRatio || 1
  canvas.width = Math.round((size * width + 4) * ratio)
  canvas.height = Math.round((size * height + 4) * ratio)
  const pen = canvas.getContext('2d')
  if (!pen) return
  pen.setTransform(ratio, 0, 0, ratio, 2 * ratio, 2 * ratio)
  pen.textAlign = 'center'
  pen.textBaseline = 'middle'
  const strongest = strongestShare(confusion, look.mode)
  for (let truth = 0; truth < size; truth++) for (let said = 0; said < size; said++) paintCell(pen, confusion, { truth, said }, look, strongest)
  if (look.selected) outline(pen, look.selected, look)
}

function valueOf({ size, counts, scores }: Confusion, { truth, said }: Cell, mode: MatrixMode): number {
  const n = counts[truth * size + said]!
  return mode === 'count' ? n : n / Math.max(1, scores[truth]!.images)
}

function strongestShare(confusion: Confusion, mode: MatrixMode): number {
  if (mode === 'count') return confusion.most
  let most = 0
  for (let truth = 0; truth < confusion.size; truth++) for (let said = 0; said < confusion.size; said++) if (truth !== said) most = Math.max(most, valueOf(confusion, { truth, said }, mode))
  return most
}

function paintCell(pen: CanvasRenderingContext2D, confusion: Confusion, cell: Cell, { width, height, theme, mode }: MatrixLook, strongest: number): void {
  const colours = palettes[theme], value = valueOf(confusion, cell, mode), diagonal = cell.truth === cell.said
  const step = value > 0 && !diagonal ? Math.min(6, Math.max(1, Math.round(Math.sqrt(value / strongest) * 6))) : 0
  const x = cell.said * width, y = cell.truth * height, gap = width > 8 ? 1 : 0
  pen.fillStyle = diagonal ? colours['bg-active'] : value > 0 ? colours[steps[step]!] : colours['bg-sunken']
  pen.beginPath()
  pen.roundRect(x + gap / 2, y + gap / 2, width - gap, height - gap, gap * 2)
  pen.fill()
  if (value === 0 || width < SMALLEST_WITH_TEXT) return
  pen.fillStyle = diagonal ? colours['text-1'] : inkOn(step, theme, colours)
  pen.font = `${diagonal ? 500 : 400} ${width < 32 ? 10.5 : 12}px ${shape['font-ui']}`
  pen.fillText(mode === 'count' ? String(value) : shareText(value), x + width / 2, y + height / 2 + 0.5)
}

const shareText = (share: number) => share < 0.005 ? '<1' : (100 * share).toFixed(0)

function inkOn(step: number, theme: ThemeName, colours: Palette): string {
  if (theme === 'dark') return step >= 4 ? colours['on-accent'] : colours['text-1']
  return step >= 5 ? colours['on-accent'] : step === 4 ? '#000000' : colours['text-1']
}

function outline(pen: CanvasRenderingContext2D, { truth, said }: Cell, { width, height, theme }: MatrixLook): void {
  pen.strokeStyle = palettes[theme]['text-1']
  pen.lineWidth = 2
  pen.beginPath()
  pen.roundRect(said * width - 0.5, truth * height - 0.5, width + 1, height + 1, 3)
  pen.stroke()
}

/** The cell an arrow key leads to; null for other keys. */
export function cellAfter(key: string, at: Cell, size: number): Cell | null {
  const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key] ?? []
  if (down === undefined || right === undefined) return key === 'Home' ? { ...at, said: 0 } : key === 'End' ? { ...at, said: size - 1 } : null
  const next = { truth: at.truth + down, said: at.said + right }
  const inside = next.truth >= 0 && next.said >= 0 && next.truth < size && next.said < size
  return inside && !sameCell(next, at) ? next : at
}
