import type { RunCard } from './contract/run'

/** What main itself says of runs: in the tray, in notifications and in dialogs. */
export const plural = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`

export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}

/** "digits ssf: 45 %, 3 min left". */
export function progressWords({ id, name, status, step, steps, seconds }: RunCard): string {
  if (status !== 'running' || steps === 0) return `${name || id}: starting`
  const left = step > 0 && seconds > 0 ? `, ${duration(seconds / step * (steps - step))} left` : ''
  return `${name || id}: ${Math.floor(100 * step / steps)} %${left}`
}

/** The notification at a run's end; null for an end that a person asked for. */
export function endWords({ id, name, status, best, metrics, seconds, error }: RunCard, waiting: number): { title: string; body: string } | null {
  const rest = waiting > 0 ? ` ${plural(waiting, 'run waits', 'runs wait')}.` : ''
  if (status === 'finished') {
    const test = metrics['test/accuracy']
    const result = test !== undefined ? `${(test * 100).toFixed(1)} % on the test, ` : best?.metric.endsWith('accuracy') ? `${(best.value * 100).toFixed(1)} % on validation, ` : ''
    return { title: `${name || id} finished`, body: `${result}in ${duration(seconds)}.${rest}` }
  }
  if (status !== 'failed' && status !== 'interrupted') return null
  return { title: `${name || id} ${status === 'failed' ? 'failed' : 'was interrupted'}`, body: `${error?.message ?? 'Its trainer ended.'}${rest}` }
}
