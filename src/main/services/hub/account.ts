import { existsSync, readFileSync, rmSync } from 'node:fs'
import { z } from 'zod'
import { type HubAccount, HubEndpoint, HubToken } from '../../contract/hub'
import { writeFileAtomic } from '../../store/atomic'
import type { Deps } from '../deps'

/** Locks a secret away under the system's own keychain. */
export interface Keychain { encrypt(text: string): Buffer; decrypt(data: Buffer): string }

/** A token belongs to the host that it was given for, and goes to no other. */
const Kept = z.object({ origin: z.string(), token: z.string() })
type Kept = z.infer<typeof Kept>
type Source = HubAccount['token']

const OFFICIAL = 'https://huggingface.co'
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

/** Where models come from, and the person's token for it. `keychain` is asked when it is needed: Electron's is not there before its window. */
export function createAccount({ workspace, settings }: Deps, keychain: () => Keychain | null, env: NodeJS.ProcessEnv) {
  let session: Kept | null = null
  const fromEnvironment = () => HubEndpoint.safeParse(env['HF_ENDPOINT']).data || OFFICIAL
  const endpoint = () => (settings.get().hubEndpoint || fromEnvironment()).replace(/\/+$/, '')

  function kept(): Kept | null {
    const chain = keychain()
    if (!chain || !existsSync(workspace.hubToken)) return null
    try {
      return Kept.parse(JSON.parse(chain.decrypt(readFileSync(workspace.hubToken))))
    } catch {
      return null // locked by another account or another machine's keychain: as if there were none
    }
  }

  function held(): { token: string; source: Source } | null {
    const origin = originOf(endpoint())
    const given: [Kept | null, Source][] = [[session, 'session'], [kept(), 'keychain']]
    const variable = HubToken.safeParse({ token: env['HF_TOKEN'] }).data?.token
    const environment = variable ? { origin: originOf(fromEnvironment()), token: variable } : null
    const found = [...given, [environment, 'environment'] as const].find(([one]) => one?.origin === origin)
    return found?.[0] ? { token: found[0].token, source: found[1] } : null
  }

  const show = (): HubAccount => ({ endpoint: endpoint(), token: held()?.source ?? 'none', keychain: keychain() !== null })

  return {
    endpoint,
    show,
    /** Never over a line that others can read. */
    token(): string | null {
      const { protocol, hostname } = new URL(endpoint())
      return protocol === 'https:' || LOOPBACK.test(hostname) ? held()?.token ?? null : null
    },
    setToken({ token }: { token: string | null }): HubAccount {
      session = null
      rmSync(workspace.hubToken, { force: true })
      const chain = keychain()
      const entry = token === null ? null : { origin: originOf(endpoint()), token }
      if (entry && chain) writeFileAtomic(workspace.hubToken, chain.encrypt(JSON.stringify(entry)))
      else session = entry
      return show()
    },
  }
}
export type Account = ReturnType<typeof createAccount>

const originOf = (address: string): string => new URL(address).origin
