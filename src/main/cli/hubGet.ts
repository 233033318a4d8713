import { AppError } from '../contract/errors'
import { HubId, type HubDownload, type HubKind } from '../contract/hub'
import type { Command, Context } from './command'
import { bytes } from './output'

/** `NAME get OWNER/NAME`: brings something from the hub. */
export function hubCommand(name: string, noun: string, kind: HubKind): Command {
  const command: Command = {
    name, usage: `${name} get OWNER/NAME`, about: `Download a ${noun} from the Hugging Face hub; goes on with one that was interrupted. HF_TOKEN and HF_ENDPOINT count.`, options: {}, words: [2, 2],
    async run(context) {
      const [verb, id = ''] = context.words
      if (verb !== 'get') throw new AppError('bad-input', `${name}: there is no "${verb}"; usage: engram ${command.usage}`)
      const parsed = HubId.safeParse(id)
      if (!parsed.success) throw new AppError('bad-input', `${name} get: "${id}" is no name of a ${kind}; ${parsed.error.issues[0]!.message}.`)
      const { hub, models, datasets } = context.services()
      await hub.download({ id, kind })
      await ended(context, { id, kind, name })
      const card = (await (kind === 'model' ? models : datasets).list()).find(one => one.id === id)
      if (context.json) context.out.json(card)
      else context.out.line(`${id} is at ${card?.path ?? ''} (licence: ${card?.licence ?? 'not stated'})${card?.problem ? `, but cannot be used: ${card.problem}` : ''}`)
    },
  }
  return command
}

function ended({ services, out, signal }: Context, { id, kind, name }: { id: string; kind: HubKind; name: string }): Promise<void> {
  const { hub } = services()
  signal.addEventListener('abort', () => void hub.pause({ id, kind }), { once: true })
  return new Promise((resolve, reject) => {
    let told = -1
    const look = (one: HubDownload | undefined) => {
      if (!one || one.state === 'checking') return
      if (one.state === 'running') told = tell(out, one, told)
      else if (one.state === 'done') finish(resolve)
      else finish(() => reject(one.error ? new AppError(one.error.code, one.error.message) : new AppError('cancelled', `Paused; "engram ${name} get ${id}" goes on with it.`)))
    }
    const close = hub.downloads(undefined, lists => look(lists.at(-1)?.find(one => one.id === id && one.kind === kind)))
    // The first list comes before `close` is there.
    const finish = (end: () => void) => setTimeout(() => { close(); end() })
  })
}

/** A remark each tenth. */
function tell(out: Context['out'], { doneBytes, sizeBytes }: HubDownload, told: number): number {
  const tenth = Math.floor(10 * doneBytes / Math.max(1, sizeBytes))
  if (tenth > told) out.remark(`${bytes(doneBytes)} of ${bytes(sizeBytes)}`)
  return Math.max(told, tenth)
}
