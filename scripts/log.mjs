// All of set-up speaks on standard error: standard output belongs to the command that follows (clean JSON).

/** A problem a person can do something about: printed as it stands, without a stack. */
export class SetupError extends Error {}

/** Something that this machine or its network cannot give; another way may. */
export class Unavailable extends SetupError {}

export function say(line) {
  process.stderr.write(`engram: ${line}\n`)
}

/** Runs a script's main function; a SetupError becomes one clear message and exit code 1. */
export async function runMain(main) {
  try {
    await main()
  } catch (error) {
    say(error instanceof SetupError ? error.message : (error?.stack ?? String(error)))
    process.exit(1)
  }
}

const MEGABYTE = 1e6

/** A progress printer for `total` bytes: a live line on a terminal, a line each ten seconds elsewhere. */
export function progress(label, total) {
  const live = process.stderr.isTTY
  const pause = live ? 200 : 10_000
  let last = Date.now()
  const text = (bytes) => {
    const done = Math.floor(bytes / MEGABYTE)
    return total ? `${label}: ${done} of ${Math.ceil(total / MEGABYTE)} MB` : `${label}: ${done} MB`
  }
  return {
    update(bytes) {
      if (Date.now() - last < pause) return
      last = Date.now()
      if (live) process.stderr.write(`\r\x1b[Kengram: ${text(bytes)}`)
      else say(text(bytes))
    },
    end() {
      if (live) process.stderr.write('\r\x1b[K')
    },
  }
}

/** Runs `task` and, when it takes long, says every 15 seconds that it is still going on. */
export async function patiently(label, task) {
  const start = Date.now()
  const timer = setInterval(() => say(`${label}: ${Math.round((Date.now() - start) / 1000)} s`), 15_000)
  try {
    return await task()
  } finally {
    clearInterval(timer)
  }
}
