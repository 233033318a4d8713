import type { ColourName } from '../theme/tokens'

/** One line of a chart. Its points stay plain arrays, outside reactivity. */
export interface ChartLine {
  name: string
  x: ArrayLike<number>
  y: ArrayLike<number>
  length: number
  colour: ColourName
  width: number
  dash?: 'validation' | 'test' | 'future'
  /** The unsmoothed values behind a smoothed line: thin, pale, not in the tooltip. */
  faint?: boolean
  area?: boolean
  endLabel?: string
  /** Lifts the end label off a line that goes on. */
  labelLift?: number
}

/** All that one drawing of a chart needs; asked for at drawing time, so it is never stale. */
export interface ChartModel {
  lines: ChartLine[]
  x: { min: number; max: number; format: (value: number) => string; whole: boolean }
  /** With `focus`, the lowest twentieth of the points may lie below the axis, so that the rest can be told apart. */
  y: { log?: boolean; fromZero?: boolean; focus?: boolean; ceiling?: number; format: (value: number) => string; /** a value that is read by itself, in tooltips and tables; without it, as on the axis */ say?: (value: number) => string }
  /** Where the run is; what lies right of it has not happened yet. */
  now?: number
  marks?: { x: number; best: boolean }[]
  limit?: { y: number; text: string }
  best?: { x: number; y: number; text: string }
  notes?: { x: number; y: number; text: string }[]
  /** The tooltip's first line for a place on the x axis. */
  describe: (x: number) => string
}

export interface Zoom { min: number; max: number }

export const emptyModel: ChartModel = { lines: [], x: { min: 0, max: 1, format: String, whole: true }, y: { format: String }, describe: () => '' }
