import type { RunCard } from '@contract/run'
import { CirclePlay, Copy, FolderOpen, ListX, Square, Trash2 } from '@lucide/vue'
import type { Component } from 'vue'
import { useRouter } from 'vue-router'
import { api } from '../api'
import { count } from '../lib/format'
import type { JsonObject } from '../lib/path'
import { useQueueRemoval } from '../queue/useQueueRemoval'
import { useDraft } from '../stores/draft'
import { useQueue } from '../stores/queue'
import { useRuns } from '../stores/runs'
import { isResumable } from './resumable'

export interface RunAction { id: string; label: string; icon: Component; apply: () => unknown }

/** What can be done with a run now; the first is its natural next step. */
export function useRunActions() {
  const runs = useRuns()
  const draft = useDraft()
  const queue = useQueue()
  const { removeFromQueue } = useQueueRemoval()
  const router = useRouter()

  async function clone(run: RunCard): Promise<void> {
    const detail = await runs.attempt(() => api.runs.show({ run: run.id }))
    if (!detail) return
    draft.load({ ...detail.manifest.recipe, name: '' } as JsonObject, run.name || run.id)
    await router.push('/new')
  }

  async function removeRun(run: RunCard): Promise<void> {
    runs.remove([run.id])
    if (router.currentRoute.value.params['run'] === run.id) await router.push('/runs')
  }

  function actionsOf(run: RunCard): RunAction[] {
    const actions: RunAction[] = []
    if (queue.placeOf(run.id)) actions.push({ id: 'unqueue', label: 'Remove from queue', icon: ListX, apply: () => removeFromQueue([run.id]) })
    else if (run.status === 'running' || run.status === 'queued') actions.push({ id: 'stop', label: 'Stop and save', icon: Square, apply: () => runs.stop(run.id) })
    else if (isResumable(run)) actions.push({ id: 'resume', label: `Resume at ${count(run.resumeStep ?? 0)}`, icon: CirclePlay, apply: () => runs.resume(run.id) })
    actions.push({ id: 'clone', label: 'Clone with changes', icon: Copy, apply: () => clone(run) })
    actions.push({ id: 'reveal', label: 'Show folder', icon: FolderOpen, apply: () => runs.attempt(() => api.system.reveal({ path: run.folder })) })
    if (run.status !== 'running') actions.push({ id: 'remove', label: 'Remove run', icon: Trash2, apply: () => removeRun(run) })
    return actions
  }

  return { actionsOf, clone }
}
