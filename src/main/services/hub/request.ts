import { AppError } from '../../contract/errors'
import type { HubRef } from '../../store/hubFolders'
import type { Account } from './account'

/**
 * `fetch` as every request to the hub uses it. The token goes to the endpoint's own origin alone: whatever a library or a link header asks
 * for, and a redirect elsewhere loses it. Refusals become sentences; `ref` is what they are about.
 */
export function createRequest(account: Account, ref: HubRef | null = null): typeof fetch {
  const endpoint = account.endpoint()
  const token = account.token()
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const headers = new Headers(init?.headers)
    headers.delete('authorization')
    if (token !== null && url.origin === new URL(endpoint).origin) headers.set('authorization', `Bearer ${token}`)
    const response = await fetch(url, { ...init, headers }).catch((thrown: unknown) => { throw unreachable(url, thrown, init?.signal ?? null) })
    if (!response.ok) throw await refusal(response, { endpoint, ref, hasToken: token !== null })
    return response
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is not known', EAI_AGAIN: 'its name cannot be looked up', ECONNREFUSED: 'it refuses the connection', ECONNRESET: 'the connection was cut', UND_ERR_SOCKET: 'the connection was cut',
  ETIMEDOUT: 'it does not answer', UND_ERR_CONNECT_TIMEOUT: 'it does not answer', ENETUNREACH: 'there is no network', EHOSTUNREACH: 'there is no way to it',
}

function unreachable({ host }: URL, thrown: unknown, signal: AbortSignal | null): unknown {
  if (signal?.aborted) return thrown
  const cause = (thrown as { cause?: { code?: unknown } } | null)?.cause
  const code = typeof cause?.code === 'string' ? cause.code : ''
  const reason = REASONS[code] ?? (/CERT|SIGNATURE|TLS|SSL/.test(code) ? 'its certificate is not trusted here' : code || 'the request failed')
  return new AppError('hub-offline', `${host} cannot be reached: ${reason}. Check the network, or the hub's address in Settings.`, { cause: thrown })
}

interface About { endpoint: string; ref: HubRef | null; hasToken: boolean }

async function refusal(response: Response, { endpoint, ref, hasToken }: About): Promise<AppError> {
  await response.body?.cancel()
  const { host } = new URL(endpoint)
  const { status, headers } = response
  const code = headers.get('x-error-code')
  if (code === 'GatedRepo' || (status === 403 && ref !== null)) return gated(endpoint, ref, hasToken)
  if (status === 401 && hasToken && code !== 'RepoNotFound') return new AppError('hub-token', `${host} does not accept the token for it. Enter a valid one in Settings, or forget it there.`)
  if (status === 401 || status === 404) return notThere(host, ref, code, hasToken)
  if (status === 429) return new AppError('hub-failed', `${host} was asked too often; wait a few minutes, then try again${hasToken ? '' : ', or enter a token in Settings, which allows more'}.`)
  return new AppError('hub-failed', `${host} answered with an error (${status}); try again later.`)
}

/** Where a person sees it. */
export const pageOf = (endpoint: string, { kind, id }: HubRef): string => `${endpoint}/${kind === 'dataset' ? 'datasets/' : ''}${id}`

export function gated(endpoint: string, ref: HubRef | null, hasToken: boolean): AppError {
  const [id, page] = [ref?.id ?? 'This', ref ? pageOf(endpoint, ref) : endpoint]
  return new AppError('hub-gated', hasToken
    ? `${id} is gated and your token may not read it yet: accept its terms at ${page}, then try again.`
    : `${id} is gated: accept its terms at ${page}, then enter your token in Settings.`)
}

function notThere(host: string, ref: HubRef | null, code: string | null, hasToken: boolean): AppError {
  const { kind, id } = ref ?? { kind: 'model', id: 'of this name' }
  if (code === 'EntryNotFound') return new AppError('not-found', `A file of ${id} is not on ${host} any more; look at the ${kind} there.`)
  return new AppError('not-found', `${host} has no ${kind} ${id}${hasToken ? ' that your token may see' : ', or it is private'}; check the name${hasToken ? '' : ', or enter a token in Settings for a private one'}.`)
}
