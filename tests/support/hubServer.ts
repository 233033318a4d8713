import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/** `converted`: the parquet copy that the hub keeps of a dataset in another form. */
export interface HubModelFixture { id: string; files: Map<string, Buffer>; licence: string; gated?: boolean; kind?: 'dataset'; converted?: Map<string, Buffer> }
export interface Seen { path: string; host: string; authorization: string | undefined; range: string | undefined }
/** A server that speaks the hub's API, and whose large files come from another host, as the hub's do. What goes wrong is set while it runs. */
export interface HubServer {
  endpoint: string; models: HubModelFixture[]; seen: Seen[]
  trouble: { cuts: number; cutAfter: number; status: number | null; ranges: boolean; corrupt: boolean; delayMs: number; large: number; piece: number }
  close(): Promise<void>
}
const REVISION = 'a'.repeat(40)
const CONVERTED = 'c'.repeat(40)
const TOKEN = 'Bearer hf_good'
/** Small enough pieces that a cut falls in the middle, slow enough that a person could press a button. */
const USUAL = { large: 10_000, piece: 16_384 }

export function modelFixture(id: string, folder: string, more: Partial<HubModelFixture> = {}): HubModelFixture {
  const files = new Map(readdirSync(folder).map(name => [name, readFileSync(join(folder, name))]))
  return { id, files: files.set('pytorch_model.bin', Buffer.alloc(20_000)).set('README.md', Buffer.from('# A model')), licence: 'apache-2.0', ...more }
}

/** A dataset as people keep it on the hub, or as the hub converts it. */
export function datasetFixture(id: string, folder: string, how: 'parquet' | 'converted' | 'images' = 'parquet'): HubModelFixture {
  const read = (name: string) => readFileSync(join(folder, 'data', name))
  const parquet = new Map(readdirSync(join(folder, 'data')).map(name => [name, read(name)]))
  const images = new Map([['README.md', Buffer.from('# Images')], ['train/cat/1.png', Buffer.alloc(100)]])
  const inData = new Map([...parquet].map(([name, bytes]) => [`data/${name}`, bytes]))
  const copied = new Map([...parquet].map(([name, bytes]) => [`default/${name.slice(0, name.indexOf('-'))}/${name}`, bytes]))
  return { id, kind: 'dataset', licence: 'mit', files: how === 'parquet' ? inData.set('README.md', Buffer.from('# Data')).set('other/train.parquet', Buffer.alloc(9)) : images, ...(how === 'converted' ? { converted: copied } : {}) }
}

export async function startHub(models: HubModelFixture[]): Promise<HubServer> {
  const seen: Seen[] = []
  const trouble: HubServer['trouble'] = { cuts: 0, cutAfter: 50_000, status: null, ranges: true, corrupt: false, delayMs: 0, ...USUAL }
  const note = ({ url = '', headers }: IncomingMessage) => { seen.push({ path: url, host: headers.host ?? '', authorization: headers.authorization, range: headers.range }) }
  const fileOf = (path: string) => {
    const [, kind, id, revision, file = ''] = /^\/(datasets\/)?([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path) ?? []
    const model = models.find(one => one.id === id && (one.kind === 'dataset') === (kind !== undefined))
    return { model, bytes: (revision === CONVERTED ? model?.converted : model?.files)?.get(file) }
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
    const listed = /^\/api\/(model|dataset)s$/.exec(url.pathname)
    const ofKind = (kind: string | undefined) => models.filter(one => (one.kind ?? 'model') === kind)
    if (listed) return json(response, ofKind(listed[1]).filter(({ id }) => id.includes(url.searchParams.get('search') ?? '')).map(one => entry(one)))
    const named = /^\/api\/(model|dataset)s\/([^/]+\/[^/]+)\/(revision|tree)\/(.+)$/.exec(url.pathname)
    const model = named ? ofKind(named[1]).find(({ id }) => id === named[2]) : fileOf(url.pathname).model
    if (!model) return refuse(response, request.headers.authorization ? 404 : 401, 'RepoNotFound')
    if (request.headers.authorization && request.headers.authorization !== TOKEN) return refuse(response, 401)
    const converted = [CONVERTED, encodeURIComponent('refs/convert/parquet')].includes(named?.[4] ?? '')
    if (converted && !model.converted) return refuse(response, 404, 'RevisionNotFound')
    if (named) return json(response, named[3] === 'tree' ? tree(converted ? model.converted! : model.files, trouble.large) : entry(model, converted ? CONVERTED : REVISION))
    if (model.gated && request.headers.authorization !== TOKEN) return refuse(response, 401, 'GatedRepo')
    const { bytes } = fileOf(url.pathname)
    if (!bytes) return refuse(response, 404, 'EntryNotFound')
    if (bytes.length < trouble.large) return send(request, response, bytes, { ...trouble, cuts: 0, delayMs: 0, corrupt: false })
    response.writeHead(302, { location: `${addressOf(store)}${url.pathname}` }).end()
  })
  return { endpoint: addressOf(hub), models, seen, trouble, close: async () => { await Promise.all([hub, store].map(end)) } }
}

const entry = ({ id, licence, gated }: HubModelFixture, sha = REVISION) => ({
  _id: id, id, private: false, gated: gated ? 'manual' : false, downloads: 1234, likes: 1, lastModified: '2024-01-01T00:00:00Z', sha, cardData: { license: licence }, tags: [`license:${licence}`],
})
const tree = (files: Map<string, Buffer>, large: number) => [...files].map(([path, bytes]) => ({
  type: 'file', oid: 'b'.repeat(40), path, size: bytes.length,
  ...(bytes.length >= large ? { lfs: { oid: createHash('sha256').update(bytes).digest('hex'), size: bytes.length, pointerSize: 134 } } : {}),
}))

async function send(request: IncomingMessage, response: ServerResponse, whole: Buffer, trouble: HubServer['trouble']): Promise<void> {
  const from = trouble.ranges ? Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? -1) : -1
  const rest = Buffer.from(whole.subarray(Math.max(0, from)))
  if (trouble.corrupt && rest.length > 0) rest[rest.length - 1]! ^= 1
  response.writeHead(from >= 0 ? 206 : 200, { 'content-length': rest.length, etag: '"x"', ...(from >= 0 ? { 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` } : {}) })
  const cut = trouble.cuts > 0 ? trouble.cutAfter : Infinity
  if (trouble.cuts > 0) trouble.cuts--
  for (let at = 0; at < rest.length; at += trouble.piece) {
    // What is still under way when a connection is cut is lost on both sides.
    if (at >= cut) return void setTimeout(() => response.destroy(), 50)
    await new Promise(resolve => response.write(rest.subarray(at, at + trouble.piece), resolve))
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
