import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const SAMPLE_MS = 400
/** Above this share of the processor in others' hands, a cell is marked. */
export const BUSY = 0.15

/** The share of the processor that other programs take just now, while the benchmark runs nothing; null where unknown. */
export async function othersShare() {
  const before = times()
  if (!before) return null
  await sleep(SAMPLE_MS)
  const after = times()
  const total = after.total - before.total
  return total > 0 ? 1 - (after.idle - before.idle) / total : null
}

function times() {
  try {
    const fields = readFileSync('/proc/stat', 'utf8').match(/^cpu +(.*)$/m)[1].split(' ').map(Number)
    const [, , , idle, waiting] = fields
    return { total: fields.slice(0, 8).reduce((sum, value) => sum + value, 0), idle: idle + waiting }
  } catch {
    return null
  }
}
