import type { HubDownload } from '@contract/hub'
import { bytes, duration } from '../lib/format'

/** How far a download is, in words. */
export function downloadWords({ state, doneBytes, sizeBytes, bytesPerSecond }: HubDownload): string {
  const amount = `${bytes(doneBytes)} of ${bytes(sizeBytes)}`
  if (state === 'checking') return 'Checking what arrived'
  if (state === 'paused') return `Paused at ${amount}`
  if (state === 'failed') return `Stopped at ${amount}`
  return bytesPerSecond ? `${amount}, ${bytes(bytesPerSecond)}/s, ${duration((sizeBytes - doneBytes) / bytesPerSecond)} left` : amount
}
