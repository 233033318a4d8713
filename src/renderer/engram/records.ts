import type { EngramReport } from '@contract/engram'
import { api } from '../api'
import { toVectors, type Vectors } from './lens'

const MOST = 128
const kept = new Map<string, Promise<Vectors>>()

/** A run's vectors at a recorded step. Records never change while a window looks at a step, except where a run went back. */
export function loadVectors(run: string, step: number): Promise<Vectors> {
  const key = `${run} ${step}`
  const found = kept.get(key)
  if (found) return found
  const loading = api.engram.record({ run, step }).then(toVectors)
  loading.catch(() => kept.delete(key))
  kept.set(key, loading)
  for (const old of [...kept.keys()].slice(0, Math.max(0, kept.size - MOST))) kept.delete(old)
  return loading
}

/** After a run went on from an earlier step, its records may be others. */
export function forgetVectors(run: string): void {
  for (const key of [...kept.keys()]) if (key.startsWith(`${run} `)) kept.delete(key)
}

/** Another run's last record at or before a step, else its first; null where it has none. */
export async function vectorsNear(run: string, step: number): Promise<Vectors | null> {
  const { records }: EngramReport = await api.engram.show({ run })
  const near = records.findLast(one => one.step <= step) ?? records[0]
  return near ? loadVectors(run, near.step) : null
}
