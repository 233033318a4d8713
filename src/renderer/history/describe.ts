import type { RunEvent } from '@contract/run'
import { bytes, count, percent, plainNumber, sentence } from '../lib/format'

export type Tone = 'plain' | 'warn' | 'error'
export interface EventLine { step: number | null; text: string; tone: Tone }

const phaseWords = { prepare: 'Preparing', data: 'Reading data', train: 'Training', test: 'Testing', save: 'Saving' }

/** One event in words, for the list of events and the log. */
export function describeEvent(event: RunEvent): EventLine {
  switch (event.event) {
    case 'started': return { step: event.step, text: event.step > 0 ? `Resumed at step ${count(event.step)} on ${event.device}` : `Started on ${event.device}`, tone: 'plain' }
    case 'phase': return { step: null, text: event.message ? sentence(event.message) : phaseWords[event.phase], tone: 'plain' }
    case 'step': return { step: event.step, text: `Loss ${event.loss.toFixed(3)}, learning rate ${plainNumber(event.learningRate)}`, tone: 'plain' }
    case 'evaluated': return { step: event.step, text: evaluated(event), tone: 'plain' }
    case 'checkpoint': return { step: event.step, text: `Saved checkpoint${event.best ? ', best' : ''}, ${bytes(event.sizeBytes)}`, tone: 'plain' }
    case 'notice': return { step: null, text: event.message, tone: event.level === 'error' ? 'error' : event.level === 'warning' ? 'warn' : 'plain' }
    case 'finished': return { step: event.step, text: 'Finished', tone: 'plain' }
    case 'stopped': return { step: event.step, text: 'Stopped and saved', tone: 'plain' }
    case 'failed': return { step: event.step, text: event.error.message, tone: 'error' }
  }
}

function evaluated(event: Extract<RunEvent, { event: 'evaluated' }>): string {
  const accuracy = metricOf(event.metrics, event.split, 'accuracy')
  const loss = metricOf(event.metrics, event.split, 'loss')
  const value = accuracy !== undefined ? percent(accuracy) : loss !== undefined ? `loss ${loss.toFixed(3)}` : 'done'
  return event.best ? `New best: ${value} on ${event.split}` : `Evaluated: ${value} on ${event.split}`
}

/** A metric of a split, whether its key names the split or not. */
export const metricOf = (metrics: Record<string, number>, split: string, name: string): number | undefined => metrics[`${split}/${name}`] ?? metrics[name]
