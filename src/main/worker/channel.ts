import { HostMessage, type TrainerMessage } from './protocol'

/** The trainer's end of the line to its host: a utility process's port in Electron, Node's IPC otherwise. */
export interface Channel {
  post(message: TrainerMessage): void
  onMessage(listener: (message: HostMessage) => void): void
  /** Called once when the host is gone. */
  onLost(listener: () => void): void
}

/** The part of Electron's `process.parentPort` in use. */
interface ParentPort { on(event: 'message', listener: (event: { data: unknown }) => void): void; postMessage(message: unknown): void }

export function openChannel(): Channel {
  const port = (process as { parentPort?: ParentPort }).parentPort
  return port ? electronChannel(port) : nodeChannel()
}

function electronChannel(port: ParentPort): Channel {
  return {
    post: message => port.postMessage(message),
    onMessage: listener => port.on('message', ({ data }) => deliver(data, listener)),
    onLost: watchParent,
  }
}

function nodeChannel(): Channel {
  return {
    post: message => {
      if (process.connected) process.send?.(message, undefined, undefined, () => { /* a lost host is told by `disconnect` */ })
    },
    onMessage: listener => void process.on('message', data => deliver(data, listener)),
    onLost: listener => void process.once('disconnect', listener),
  }
}

function deliver(data: unknown, listener: (message: HostMessage) => void): void {
  const message = HostMessage.safeParse(data)
  if (message.success) listener(message.data)
}

/** Electron tells a utility process nothing when the main process dies; its parent's number changes then. */
function watchParent(listener: () => void): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    listener()
  }, 1000)
  timer.unref()
}
