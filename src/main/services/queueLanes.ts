import { existsSync } from 'node:fs'
import { AppError } from '../contract/errors'
import type { QueueLane, QueueState } from '../contract/queue'
import type { QueueFile } from '../store/queueFile'
import type { RunStore } from '../store/runStore'
import type { Lane, Lanes } from './lanes'

/** The queue as it stands: what each lane trains, who else has its device, and what waits there. */
export function createQueueLanes(store: Pick<RunStore, 'folder'>, file: QueueFile, devices: Lanes, runningIn: (lane: string) => string | null) {
  let homed = false

  async function lanes(): Promise<readonly Lane[]> {
    const found = await devices.all()
    if (!homed) rehome(found)
    homed = true
    return found
  }

  /** A GPU that is gone leaves its runs to the first lane. */
  function rehome(found: readonly Lane[]): void {
    const known = (id: string) => found.some(lane => lane.id === id)
    if (file.read().waiting.every(({ lane }) => known(lane))) return
    file.change(({ waiting }) => ({ waiting: waiting.map(entry => known(entry.lane) ? entry : { ...entry, lane: found[0]!.id }) }))
  }

  async function list(): Promise<QueueState> {
    const found = await lanes()
    const { waiting, paused } = file.read()
    const shown = found.map((one): QueueLane => {
      const { id, device } = one
      const running = runningIn(id)
      const runs = waiting.filter(({ lane, run }) => lane === id && run !== running && existsSync(store.folder(run))).map(({ run }) => run)
      return { id, device, paused: id in paused, why: paused[id] ?? null, running, elsewhere: running ? null : devices.holder(one), waiting: runs }
    })
    return { lanes: shown, next: leastBusy(shown).id }
  }

  return {
    lanes, list,
    /** The lane that is named, or the one for a run that names none. */
    async laneOr(id: string | undefined): Promise<string> {
      const { lanes: all, next } = await list()
      if (id === undefined) return next
      if (all.some(lane => lane.id === id)) return id
      throw new AppError('bad-input', `There is no lane ${id} on this machine; there ${all.length === 1 ? 'is' : 'are'} ${all.map(lane => lane.id).join(', ')}.`)
    },
  }
}

/** The GPU with the least before it; the CPU only where there is no GPU. */
function leastBusy(lanes: readonly QueueLane[]): QueueLane {
  const load = ({ running, elsewhere, waiting }: QueueLane) => waiting.length + (running || elsewhere ? 1 : 0)
  const gpus = lanes.filter(({ id }) => id !== 'cpu')
  return [...(gpus.length > 0 ? gpus : lanes)].sort((a, b) => load(a) - load(b))[0]!
}
