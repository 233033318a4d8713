import { AppError } from '../contract/errors'
import { HubId, type HubDownload } from '../contract/hub'
import type { Command, Context } from './command'
import { bytes } from './output'

export const backbones: Command = {
  name: 'backbones', usage: 'backbones get OWNER/NAME', about: 'Download a backbone from the Hugging Face hub; goes on with one that was interrupted. HF_TOKEN and HF_ENDPOINT count.', options: {}, words: [2, 2],
  async run(context) {
    const [verb, id = ''] = context.words
    if (verb !== 'get') throw new AppError('bad-input', `backbones: there is no "${verb}"; usage: engram ${backbones.usage}`)
    const name = HubId.safeParse(id)
    if (!name.success) throw new AppError('bad-input', `backbones get: "${id}" is no name of a model; ${name.error.issues[0]!.message}.`)
    const { hub, models } = context.services()
    await hub.download({ id })
    await ended(context, id)
    const card = (await models.list()).find(one => one.id === id)
    if (context.json) context.out.json(card)
    else context.out.line(`${id} is at ${card?.path ?? ''} (licence: ${card?.licence ?? 'not stated'})`)
  },
}

function ended({ services, out, signal }: Context, id: string): Promise<void> {
  const { hub } = services()
  signal.addEventListener('abort', () => void hub.pause({ id }), { once: true })
  return new Promise((resolve, reject) => {
    let told = -1
    const look = (one: HubDownload | undefined) => {
      if (!one || one.state === 'checking') return
      if (one.state === 'running') told = tell(out, one, told)
      else if (one.state === 'done') finish(resolve)
      else finish(() => reject(one.error ? new AppError(one.error.code, one.error.message) : new AppError('cancelled', `Paused; "engram backbones get ${id}" goes on with it.`)))
    }
    const close = hub.downloads(undefined, lists => look(lists.at(-1)?.find(one => one.id === id)))
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
