import type { ColourName } from '../theme/tokens'

const SCALE = 2

export interface Look { weight?: number; size?: number; ink?: ColourName; align?: CanvasTextAlign; mono?: boolean }
export interface Pen { context: CanvasRenderingContext2D; colour(name: ColourName): string; write(text: string, x: number, y: number, look?: Look): void }

/** What is drawn as a PNG at twice its size, in the colours and fonts of the window. */
export function picturePng(width: number, height: number, draw: (pen: Pen) => void): Promise<Blob> {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim()
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width: width * SCALE, height: height * SCALE })
  const context = canvas.getContext('2d')
  if (!context) throw new Error('This window cannot draw an image.')
  context.scale(SCALE, SCALE)
  context.fillStyle = colour('bg-surface')
  context.fillRect(0, 0, width, height)
  draw({
    context, colour,
    write(text, x, y, { weight = 400, size = 13, ink = 'text-1', align = 'left', mono = false } = {}) {
      context.font = `${weight} ${size}px ${colour(mono ? 'font-mono' : 'font-ui')}`
      context.fillStyle = colour(ink)
      context.textAlign = align
      context.fillText(text, x, y)
    },
  })
  return new Promise((resolve, reject) => canvas.toBlob(blob => { if (blob) resolve(blob); else reject(new Error('The image could not be made.')) }, 'image/png'))
}
