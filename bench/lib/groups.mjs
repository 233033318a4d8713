const live = new Set()

/** Makes sure that a detached child and its own children do not outlive the benchmark; gives what ends them all. */
export function leadGroup(child) {
  const kill = () => {
    if (!live.delete(child)) return
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  live.add(child)
  child.once('close', () => live.delete(child))
  process.once('exit', kill)
  child.once('close', () => process.off('exit', kill))
  return kill
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))
