import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

export interface HubModelFixture { id: string; files: Map<string, Buffer>; licence: string; gated?: boolean }
export interface Seen { path: string; host: string; authorization: string | undefined; range: string | undefined }
/** A server that speaks the hub's API, and whose large files come from another host, as the hub's do. What goes wrong is set while it runs. */
export interface HubServer {
  endpoint: string; models: HubModelFixture[]; seen: Seen[]
  trouble: { cuts: number; cutAfter: number; status: number | null; ranges: boolean; corrupt: boolean; delayMs: number }
  close(): Promise<void>
}
const REVISION = 'a'.repeat(40)
const TOKEN = 'Bearer hf_good'
const LARGE = 10_000
/** Small enough pieces that a cut falls in the middle, slow enough that a person could press a button. */
const PIECE = 16_384

export function modelFixture(id: string, folder: string, more: Partial<HubModelFixture> = {}): HubModelFixture {
  const files = new Map(readdirSync(folder).map(name => [name, readFileSync(join(folder, name))]))
  return { id, files: files.set('pytorch_model.bin', Buffer.alloc(20_000)).set('README.md', Buffer.from('# A model')), licence: 'apache-2.0', ...more }
}

export async function startHub(models: HubModelFixture[]): Promise<HubServer> {
  const seen: Seen[] = []
  const trouble: HubServer['trouble'] = { cuts: 0, cutAfter: 50_000, status: null, ranges: true, corrupt: false, delayMs: 0 }
  const note = ({ url = '', headers }: IncomingMessage) => { seen.push({ path: url, host: headers.host ?? '', authorization: headers.authorization, range: headers.range }) }
  const fileOf = (path: string) => {
    const [, owner, name, , , file = ''] = path.split('/')
    const model = models.find(one => one.id === `${owner}/${name}`)
    return { model, bytes: model?.files.get(file) }
  }
  const store = await listen(async (request, response) => {
    note(request)
    const { bytes } = fileOf(request.url ?? '')
    await send(request, response, bytes ?? Buffer.alloc(0), trouble)
  })
  const hub = await listen(async (request, response) => {
    note(request)
    if (trouble.status !== null) return refuse(response, trouble.status)
    const url = new URL(request.url ?? '', 'http://hub')
    if (url.pathname === '/api/models') return json(response, models.filter(({ id }) => id.includes(url.searchParams.get('search') ?? '')).map(entry))
    const named = /^\/api\/models\/([^/]+\/[^/]+)\/(revision|tree)\//.exec(url.pathname)
    const model = named ? models.find(({ id }) => id === named[1]) : fileOf(url.pathname).model
    if (!model) return refuse(response, request.headers.authorization ? 404 : 401, 'RepoNotFound')
    if (request.headers.authorization && request.headers.authorization !== TOKEN) return refuse(response, 401)
    if (named) return json(response, named[2] === 'tree' ? tree(model) : entry(model))
    if (model.gated && request.headers.authorization !== TOKEN) return refuse(response, 401, 'GatedRepo')
    const { bytes } = fileOf(url.pathname)
    if (!bytes) return refuse(response, 404, 'EntryNotFound')
    if (bytes.length < LARGE) return send(request, response, bytes, { ...trouble, cuts: 0, delayMs: 0, corrupt: false })
    response.writeHead(302, { location: `${addressOf(store)}${url.pathname}` }).end()
  })
  return { endpoint: addressOf(hub), models, seen, trouble, close: async () => { await Promise.all([hub, store].map(end)) } }
}

const entry = ({ id, licence, gated }: HubModelFixture) => ({
  _id: id, id, private: false, gated: gated ? 'manual' : false, downloads: 1234, likes: 1, lastModified: '2024-01-01T00:00:00Z', sha: REVISION, cardData: { license: licence }, tags: [`license:${licence}`],
})
const tree = ({ files }: HubModelFixture) => [...files].map(([path, bytes]) => ({
  type: 'file', oid: 'b'.repeat(40), path, size: bytes.length,
  ...(bytes.length >= LARGE ? { lfs: { oid: createHash('sha256').update(bytes).digest('hex'), size: bytes.length, pointerSize: 134 } } : {}),
}))

async function send(request: IncomingMessage, response: ServerResponse, whole: Buffer, trouble: HubServer['trouble']): Promise<void> {
  const from = trouble.ranges ? Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? -1) : -1
  const rest = Buffer.from(whole.subarray(Math.max(0, from)))
  if (trouble.corrupt && rest.length > 0) rest[rest.length - 1]! ^= 1
  response.writeHead(from >= 0 ? 206 : 200, { 'content-length': rest.length, etag: '"x"', ...(from >= 0 ? { 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` } : {}) })
  const cut = trouble.cuts > 0 ? trouble.cutAfter : Infinity
  if (trouble.cuts > 0) trouble.cuts--
  for (let at = 0; at < rest.length; at += PIECE) {
    // What is still under way when a connection is cut is lost on both sides.
    if (at >= cut) return void setTimeout(() => response.destroy(), 50)
    await new Promise(resolve => response.write(rest.subarray(at, at + PIECE), resolve))
    if (trouble.delayMs > 0) await new Promise(resolve => setTimeout(resolve, trouble.delayMs))
  }
  response.end()
}

const json = (response: ServerResponse, value: unknown) => void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
const refuse = (response: ServerResponse, status: number, code?: string) => void response.writeHead(status, code ? { 'x-error-code': code } : {}).end('{}')

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void> | void): Promise<Server> {
  const server = createServer((request, response) => { Promise.resolve(answer(request, response)).catch(() => response.destroy()) })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}
const addressOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const end = (server: Server) => new Promise<void>(resolve => {
  server.closeAllConnections()
  server.close(() => resolve())
})
