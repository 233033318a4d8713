import type { RunEvent } from '../contract/run'
import { wilson } from '../contract/statistics'
import { bytes, duration, integer, interval, metric, number, percent } from './output'

const STEP_LINES_MS = 2000

/** The course of a training as lines for people: a step now and then, and everything else. */
export interface TrainingLines { tell(event: RunEvent): void; end(): void }

export function createTrainingLines(line: (text: string) => void): TrainingLines {
  let toldAt = 0
  let steps = 0
  let held: Extract<RunEvent, { event: 'step' }> | null = null
  const flush = () => {
    if (held) line(stepLine(held, steps))
    held = null
  }
  return {
    tell(event) {
      if (event.event === 'started') steps = event.steps
      if (event.event === 'step' || event.event === 'phase') {
        const due = event.time - toldAt >= STEP_LINES_MS
        if (event.event === 'step') held = event
        if (!due) return
        toldAt = event.time
        if (event.event === 'phase') line(phaseLine(event))
        else flush()
        return
      }
      flush()
      line(otherLine(event))
    },
    end: flush,
  }
}

type Of<K extends RunEvent['event']> = Extract<RunEvent, { event: K }>

function stepLine(event: Of<'step'>, steps: number): string {
  const left = event.imagesPerSecond > 0 ? `  ${integer(event.imagesPerSecond)} images/s` : ''
  return `step ${event.step}/${steps}  epoch ${event.epoch.toFixed(2)}  loss ${number(event.loss)}  accuracy ${percent(event.accuracy)}  rate ${number(event.learningRate)}${left}  ${bytes(event.memory)}`
}

const phaseLine = ({ message, done, total }: Of<'phase'>) => done !== null && total !== null ? `${message} ${integer(done)}/${integer(total)}` : message

const metrics = (values: Readonly<Record<string, number>>) => Object.entries(values).map(([name, value]) => `${name} ${metric(name, value)}`).join('  ')

/** The 95 % interval of a measured accuracy. */
function sureness({ split, metrics: { [`${split}/accuracy`]: accuracy }, samples }: Of<'evaluated'>): string {
  return accuracy === undefined || samples === undefined ? '' : ` (95 %: ${interval(wilson(Math.round(accuracy * samples), samples))})`
}

function otherLine(event: Exclude<RunEvent, Of<'step' | 'phase'>>): string {
  switch (event.event) {
    case 'started': return `${event.step > 0 ? `resumed at step ${event.step}` : 'started'}: run ${event.run}, ${event.steps} steps in ${event.epochs} epochs on ${event.device}\n${event.folder}`
    case 'evaluated': return `${event.split} after step ${event.step}: ${metrics(event.metrics)}${sureness(event)}${event.best ? '  (best so far)' : ''}`
    case 'checkpoint': return `checkpoint of step ${event.step} saved, ${bytes(event.sizeBytes)}${event.best ? ', the best so far' : ''}`
    case 'notice': return `${event.level}: ${event.message}`
    case 'finished': case 'stopped': return `${event.event} at step ${event.step} after ${duration(event.seconds)}: ${metrics(event.metrics)}  (${integer(event.imagesPerSecond)} images/s, peak ${bytes(event.peakMemory)})`
    case 'failed': return `failed at step ${event.step}`
  }
}
