import type { RunEvent } from '@contract/run'
import { firstAtLeast } from '../charts/series'
import { Column } from './column'

type Of<Kind extends RunEvent['event']> = Extract<RunEvent, { event: Kind }>
export type Evaluation = Of<'evaluated'> & { elapsed: number }
export type Ending = Of<'finished'> | Of<'stopped'> | Of<'failed'>
export interface Phase { name: Of<'phase'>['phase']; startedAt: number; message: string; done: number | null; total: number | null }

const columnNames = ['step', 'epoch', 'elapsed', 'loss', 'accuracy', 'learningRate', 'gradientNorm', 'imagesPerSecond', 'memory'] as const
export type ColumnName = typeof columnNames[number]

/** A run's events folded into what the charts and lists show. Plain data: reactivity is told by a version number beside it. */
export class RunHistory {
  columns = Object.fromEntries(columnNames.map(name => [name, new Column()])) as Record<ColumnName, Column>
  evaluations: Evaluation[] = []
  checkpoints: Of<'checkpoint'>[] = []
  /** Everything that is not a step, in order, for the log and the list of events. */
  lines: Exclude<RunEvent, { event: 'step' }>[] = []
  phases: Phase[] = []
  started: Of<'started'> | null = null
  ending: Ending | null = null
  lastSeq = -1
  lastTime = 0
  private elapsed = 0

  push(event: RunEvent): void {
    if (event.seq <= this.lastSeq) return
    // Time between the end of one session and the start of the next is not training time.
    if (event.event !== 'started' && this.lastTime > 0) this.elapsed += Math.max(0, event.time - this.lastTime) / 1000
    this.lastSeq = event.seq
    this.lastTime = event.time
    if (event.event === 'step') this.addStep(event)
    else this.addLine(event)
  }

  get stepCount(): number { return this.columns.step.length }
  get step(): number { return this.columns.step.last ?? this.started?.step ?? 0 }
  get seconds(): number { return this.elapsed }

  private addStep(event: Of<'step'>): void {
    for (const name of columnNames) this.columns[name].push(name === 'elapsed' ? this.elapsed : event[name])
  }

  private addLine(event: Exclude<RunEvent, { event: 'step' }>): void {
    const before = this.lines.at(-1)
    // Progress within a phase replaces the line before it.
    if (event.event === 'phase' && before?.event === 'phase' && before.phase === event.phase) this.lines[this.lines.length - 1] = event
    else this.lines.push(event)
    switch (event.event) {
      case 'started': this.begin(event); break
      case 'phase': this.enter(event); break
      case 'evaluated': this.evaluations.push({ ...event, elapsed: this.elapsed }); break
      case 'checkpoint': this.keepCheckpoint(event); break
      case 'finished': case 'stopped': case 'failed': this.ending = event; break
      case 'notice': break
    }
  }

  private begin(event: Of<'started'>): void {
    this.started = event
    this.ending = null
    this.phases.push({ name: 'train', startedAt: event.time, message: '', done: null, total: null })
    const kept = firstAtLeast(this.columns.step.values, this.columns.step.length, event.step + 1)
    this.elapsed = kept > 0 ? this.columns.elapsed.values[kept - 1] ?? 0 : 0
    for (const name of columnNames) this.columns[name].cut(kept)
    this.evaluations = this.evaluations.filter(one => one.step <= event.step)
    this.checkpoints = this.checkpoints.filter(one => one.step <= event.step)
  }

  private enter(event: Of<'phase'>): void {
    // Preparing again after training began is the start of another session.
    const training = this.phases.some(phase => phase.name === 'train')
    if (training && (event.phase === 'prepare' || event.phase === 'data')) this.phases = []
    const current = this.phases.find(phase => phase.name === event.phase)
    if (current) Object.assign(current, { message: event.message, done: event.done, total: event.total })
    else this.phases.push({ name: event.phase, startedAt: event.time, message: event.message, done: event.done, total: event.total })
  }

  private keepCheckpoint(event: Of<'checkpoint'>): void {
    const others = this.checkpoints.filter(one => one.step !== event.step && !event.removed.includes(one.step))
    this.checkpoints = [...(event.best ? others.map(one => ({ ...one, best: false })) : others), event]
  }
}
