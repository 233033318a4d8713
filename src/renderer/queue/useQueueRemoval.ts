import { api } from '../api'
import { useQueue } from '../stores/queue'
import { useRuns } from '../stores/runs'

/** Takes runs off the queue. Those that never began go to the trash with Undo, which puts them back where they stood. */
export function useQueueRemoval() {
  const queue = useQueue()
  const runs = useRuns()

  async function removeFromQueue(ids: string[]): Promise<void> {
    const places = ids.map(run => ({ run, place: queue.placeOf(run) }))
    const unbegun = ids.filter(run => runs.find(run)?.step === 0)
    await queue.remove(ids)
    if (unbegun.length > 0) runs.remove(unbegun, () => void putBack(places))
  }

  async function putBack(places: { run: string; place: ReturnType<typeof queue.placeOf> }[]): Promise<void> {
    for (const { run, place } of places) {
      await runs.attempt(async () => {
        await api.runs.resume({ run })
        if (place) await queue.move(run, place.position, place.lane.id)
      })
    }
  }

  return { removeFromQueue }
}
