import type { QueueLane } from '@contract/queue'

/** A lane as buttons name it: "CPU", "GPU 0". */
export const laneName = (id: string) => id === 'cpu' ? 'CPU' : `GPU ${id.replace('gpu', '')}`

export function ordinal(n: number): string {
  const last = n % 10
  const ending = Math.floor(n / 10) % 10 === 1 ? 'th' : last === 1 ? 'st' : last === 2 ? 'nd' : last === 3 ? 'rd' : 'th'
  return `${n}${ending}`
}

export const isIdle = ({ running, elsewhere, waiting, paused }: QueueLane) => running === null && elsewhere === null && waiting.length === 0 && !paused

/** What the Start button says of the lane that the run, or the runs, go to. */
export function startWords(lane: QueueLane | undefined, runs = 1): string {
  if (runs > 1) return `Queue ${runs} runs`
  if (!lane) return 'Start run'
  if (isIdle(lane)) return `Start run on ${laneName(lane.id)}`
  if (lane.paused) return `Queue run, ${laneName(lane.id)} is paused`
  return `Queue run, ${lane.waiting.length === 0 ? 'next' : ordinal(lane.waiting.length + 1)} on ${laneName(lane.id)}`
}

/** "next on CPU", "3rd on GPU 0". */
export const placeWords = ({ lane, position }: { lane: QueueLane; position: number }) =>
  `${position === 0 ? 'next' : ordinal(position + 1)} on ${laneName(lane.id)}${lane.paused ? ', which is paused' : ''}`
