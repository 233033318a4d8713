import type { EngramMap } from '@contract/engram'
import { count, three } from '../lib/format'
import { picturePng, type Pen } from '../lib/picture'
import type { ThemeName } from '../theme/tokens'
import { arriving, blockGraph, thickness, type Leaving } from './blockPaths'
import { cssColour } from './colours'
import { gainAt, type Vectors } from './lens'
import { shownChannels, spread, strength } from './stats'

const [width, margin, top, nodeHeight, edgeHeight, columns] = [420, 16, 58, 34, 40, 120]

/** Who scales whom in a block: width is the distance from 1, dashed is approximate. */
export function pathPicture(map: EngramMap, vectors: Vectors, block: number, range: number, theme: ThemeName, title: string, subtitle: string): Promise<Blob> {
  const { nodes, stubs, stubReason } = blockGraph(map, block)
  const height = top + nodes.reduce((sum, node) => sum + nodeHeight + Math.max(1, node.leaving.length) * edgeHeight, 0) + (stubs.length ? 24 : 0)
  return picturePng(width, height, pen => {
    pen.write(title, margin, 26, { size: 15, weight: 600 })
    pen.write(subtitle, margin, 44, { size: 12, ink: 'text-2' })
    let y = top
    for (const node of nodes) {
      drawNode(pen, node.label, gainAt(vectors, node.site.name), y, range, theme)
      y += nodeHeight
      for (const edge of node.leaving) {
        drawEdge(pen, edge, arriving(vectors, edge), y)
        y += edgeHeight
      }
      if (node.leaving.length > 0) continue
      pen.write('scales no other layer', margin + 46, y + 18, { size: 11, ink: 'text-3' })
      y += edgeHeight
    }
    if (stubs.length) pen.write(`${stubs.join(', ')}: ${stubReason}`, margin, y + 8, { size: 11, ink: 'text-3' })
  })
}

function drawNode({ context, colour, write }: Pen, label: string, gain: Float32Array | undefined, y: number, range: number, theme: ThemeName): void {
  const inner = width - 2 * margin, band = (inner - 18) / columns
  context.strokeStyle = colour('line-strong')
  context.beginPath()
  context.roundRect(margin + 0.5, y + 0.5, inner - 1, nodeHeight - 1, 6)
  context.stroke()
  write(label, margin + 9, y + 15, { mono: true, weight: 600, size: 11.5 })
  write(gain ? `γ ${count(gain.length)}` : 'no gain of its own', margin + 70, y + 15, { size: 11, ink: 'text-3' })
  if (!gain) return
  write(`|γ − 1| ${three(spread(gain, 1).distance)}`, width - margin - 9, y + 15, { size: 11, ink: 'text-2', align: 'right' })
  shownChannels(gain, Math.min(columns, gain.length), 1, null).forEach((channel, i, all) => {
    context.fillStyle = cssColour('gain', theme, strength(gain[channel]!, 1, range))
    context.fillRect(margin + 9 + i * band * columns / all.length, y + 20, band * columns / all.length + 0.2, 9)
  })
}

function drawEdge({ context, colour, write }: Pen, edge: Leaving, scale: Float32Array | undefined, y: number): void {
  const x = margin + 26, about = scale && spread(scale, 1)
  context.strokeStyle = context.fillStyle = colour('text-2')
  context.lineWidth = thickness(scale)
  context.setLineDash(edge.exact ? [] : [5, 3])
  context.beginPath()
  context.moveTo(x, y + 2)
  context.lineTo(x, y + 30)
  context.stroke()
  context.setLineDash([])
  context.lineWidth = 1
  context.beginPath()
  context.moveTo(x - 6, y + 29)
  context.lineTo(x + 6, y + 29)
  context.lineTo(x, y + 37)
  context.fill()
  write(edge.through, margin + 46, y + 16, { size: 11 })
  write([edge.exact ? 'exact' : 'approximate', edge.target].filter(Boolean).join(' '), margin + 46, y + 30, { size: 11, ink: 'text-3' })
  if (about) write(`${about.min.toFixed(2)} to ${about.max.toFixed(2)}`, width - margin, y + 16, { size: 11, ink: 'text-2', align: 'right' })
  write(edge.axis, width - margin, y + 30, { size: 11, ink: 'text-3', align: 'right' })
}
