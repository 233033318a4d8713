import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runCommandLine } from '../../src/main/cli/run'
import { HubId, type HubDownload } from '../../src/main/contract/hub'
import { createServices, nodeFork } from '../../src/main/services/index'
import type { HubOptions } from '../../src/main/services/hub'
import type { VitShape } from '../../src/main/contract/model'
import { sites as vitSites } from '../../src/main/engine/backbones/vit'
import { checkConfig } from '../../src/main/engine/io/configs'
import { totalParameters } from '../../src/main/engine/sites'
import { tinyShape } from '../support/tinyVit'
import { datasetFixture, modelFixture, startHub, type HubModelFixture } from '../support/hubServer'
import { temporaryFolder } from './fixtures'

const MODEL = resolve('tests/fixtures/reference/timm-vit-cls/model')
const ID = 'timm/tiny'
const lock = { encrypt: (text: string) => Buffer.from(text).reverse(), decrypt: (data: Buffer) => Buffer.from(data).reverse().toString() }

async function rig(more: HubModelFixture[] = [], options: HubOptions = {}) {
  const server = await startHub([modelFixture(ID, MODEL), ...more])
  onTestFinished(() => server.close())
  const workspace = join(temporaryFolder(), 'workspace')
  const open = (change: HubOptions = {}) => {
    const services = createServices({ workspace, resources: temporaryFolder(), version: '1', fork: nodeFork('none'), hub: { env: {}, pace: { retryMs: 1, stallMs: 2000 }, ...options, ...change } })
    onTestFinished(() => services.close())
    return services
  }
  const services = open()
  services.settings.set({ hubEndpoint: server.endpoint })
  return { server, workspace, open, services }
}
type Services = Awaited<ReturnType<typeof rig>>['services']

const look = (services: Services): HubDownload[] => {
  let seen: HubDownload[] = []
  services.hub.downloads(undefined, lists => { seen = lists.at(-1)! })()
  return seen
}
const ended = async (services: Services, id = ID): Promise<HubDownload> => {
  const state = () => look(services).find(one => one.id === id)!
  await expect.poll(() => state().state, { timeout: 20_000 }).not.toMatch(/running|checking/)
  return state()
}
const failure = async (work: Promise<unknown>) => work.then(() => null, (thrown: unknown) => thrown)

describe('a model of the hub', () => {
  it('is found by name and described: licence, size, what would be downloaded', async () => {
    const { services } = await rig([modelFixture('other/thing', MODEL)])
    expect(await services.hub.search({ query: 'tiny' })).toEqual([{ id: ID, downloads: 1234, gated: false }])
    const info = await services.hub.info({ id: ID })
    expect(info).toMatchObject({ id: ID, licence: 'apache-2.0', gated: false, problem: null, revision: 'a'.repeat(40) })
    expect(info.files.map(({ name }) => name).sort()).toEqual(['config.json', 'model.safetensors'])
    expect(info.files.find(({ name }) => name === 'model.safetensors')!.sha256).toMatch(/^[0-9a-f]{64}$/)
  })

  it('becomes a backbone under its own name, and can be inspected, found and removed', async () => {
    const { services, workspace } = await rig()
    await services.hub.download({ id: ID })
    expect(await ended(services)).toMatchObject({ state: 'done', error: null })
    const [card] = await services.models.list()
    expect(card).toMatchObject({ id: ID, source: 'hub', licence: 'apache-2.0', problem: null })
    expect((await services.models.inspect({ path: ID })).architecture).toContain('vit')
    expect(readFileSync(join(card!.path, 'model.safetensors')).equals(readFileSync(join(MODEL, 'model.safetensors')))).toBe(true)
    expect(await failure(services.hub.download({ id: ID }))).toMatchObject({ code: 'bad-input' })
    services.models.remove({ id: ID })
    expect(await services.models.list()).toEqual([])
    expect(readdirSync(join(workspace, 'trash'))).toHaveLength(1)
  })

  it('that Engram cannot compute is said to be so, and is not downloaded', async () => {
    const swin = { id: 'timm/swin', licence: 'mit', files: new Map([['config.json', Buffer.from('{"architecture":"swin_base_patch4_window7_224"}')], ['model.safetensors', Buffer.alloc(20_000)]]) }
    const pickled = { id: 'old/pickle', licence: 'mit', files: new Map([['config.json', Buffer.from('{"architecture":"vit_tiny_patch16_224"}')], ['pytorch_model.bin', Buffer.alloc(20_000)]]) }
    const { services, workspace } = await rig([swin, pickled])
    expect((await services.hub.info({ id: 'timm/swin' })).problem).toContain('swin_base_patch4_window7_224')
    expect((await services.hub.info({ id: 'old/pickle' })).problem).toContain('pickle')
    expect(await failure(services.hub.download({ id: 'timm/swin' }))).toMatchObject({ code: 'model-unsupported' })
    expect(existsSync(join(workspace, 'models/.partial'))).toBe(false)
  })
})

describe('the catalogue', () => {
  it('tells the parameters that the engine counts, and offers only what it can compute', async () => {
    const { services } = await rig()
    const entries = services.hub.catalogue()
    expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length)
    for (const { id, parameters, supported } of entries) {
      expect(HubId.safeParse(id).success).toBe(true)
      if (supported) expect(totalParameters(vitSites(shapeOf(id))), id).toBe(parameters)
    }
    for (const architecture of entries.filter(({ supported, id }) => !supported && id.startsWith('timm/')).map(({ id }) => id.slice(5))) expect(() => { checkConfig({ architecture }) }).toThrow('not supported')
  })
})

/** The published sizes of the ViT family, without a head. */
function shapeOf(id: string): VitShape {
  const width = /tiny/.test(id) ? 192 : /small/.test(id) ? 384 : /base/.test(id) ? 768 : 1024
  const dino = id.includes('dinov2'), patch = dino ? 14 : 16
  return { ...tinyShape, patch, width, heads: width / 64, mlp: 4 * width, depth: width === 1024 ? 24 : 12, imageSize: dino ? 518 : 224, positionGrid: dino ? 37 : 14, layerScale: dino, classes: 0 }
}

describe('a download', () => {
  it('goes on where the connection was cut, again and again', async () => {
    const { services, server } = await rig()
    Object.assign(server.trouble, { cuts: 7, cutAfter: 16_000 })
    await services.hub.download({ id: ID })
    expect(await ended(services)).toMatchObject({ state: 'done' })
    const asked = server.seen.filter(({ range }) => range).map(({ range }) => Number(/\d+/.exec(range!)![0]))
    expect(asked.length).toBeGreaterThanOrEqual(7)
    expect(asked).toEqual([...asked].sort((a, b) => a - b))
    expect(asked[0]).toBeGreaterThan(0)
  })

  it('begins a file anew where the server knows no ranges', async () => {
    const { services, server } = await rig()
    Object.assign(server.trouble, { cuts: 1, ranges: false })
    await services.hub.download({ id: ID })
    expect(await ended(services)).toMatchObject({ state: 'done' })
    expect((await services.models.list())[0]).toMatchObject({ problem: null })
  })

  it('that is left goes on after a restart; until it is whole no model is seen', async () => {
    const { services, server, open } = await rig()
    server.trouble.delayMs = 30
    await services.hub.download({ id: ID })
    await expect.poll(() => look(services)[0]!.doneBytes, { timeout: 10_000 }).toBeGreaterThan(40_000)
    expect(await services.models.list()).toEqual([])
    await services.close()
    server.trouble.delayMs = 0
    const again = open()
    const [left] = look(again)
    expect(left).toMatchObject({ id: ID, state: 'paused', licence: 'apache-2.0' })
    expect(left!.doneBytes).toBeGreaterThan(40_000)
    server.seen.length = 0
    await again.hub.download({ id: ID })
    expect(await ended(again)).toMatchObject({ state: 'done' })
    expect(server.seen.some(({ range }) => range !== undefined && range !== 'bytes=0-0')).toBe(true)
    expect(await again.models.list()).toHaveLength(1)
  })

  it('is paused, and cancelled without a trace', async () => {
    const { services, server, workspace } = await rig()
    server.trouble.delayMs = 30
    await services.hub.download({ id: ID })
    await services.hub.pause({ id: ID })
    expect(look(services)[0]).toMatchObject({ state: 'paused' })
    await services.hub.cancel({ id: ID })
    expect(look(services)).toEqual([])
    expect(readdirSync(join(workspace, 'models/.partial'))).toEqual([])
  })

  it('whose bytes differ from the hub\'s fails, and trying again brings them anew', async () => {
    const { services, server } = await rig()
    server.trouble.corrupt = true
    await services.hub.download({ id: ID })
    const { state, error } = await ended(services)
    expect({ state, code: error?.code }).toEqual({ state: 'failed', code: 'verification-failed' })
    expect(await services.models.list()).toEqual([])
    server.trouble.corrupt = false
    await services.hub.download({ id: ID })
    expect(await ended(services)).toMatchObject({ state: 'done' })
  })

  it('gives up on a server that is gone, with what to do, and keeps what came', async () => {
    const { services, server } = await rig()
    server.trouble.delayMs = 20
    await services.hub.download({ id: ID })
    await expect.poll(() => look(services)[0]!.doneBytes, { timeout: 10_000 }).toBeGreaterThan(20_000)
    await server.close()
    const { state, error, doneBytes } = await ended(services)
    expect(state).toBe('failed')
    expect(error).toMatchObject({ code: 'hub-offline', message: expect.stringMatching(/cannot be reached: it refuses the connection\. Check the network/) as string })
    expect(doneBytes).toBeGreaterThan(20_000)
  })
})

describe('a dataset of the hub', () => {
  const DATA = resolve('tests/main/data/fixtures/hf')
  const get = async (services: Services, id: string) => {
    await services.hub.download({ id, kind: 'dataset' })
    return ended(services, id)
  }

  it('is found beside models of the same name, and only its parquet is downloaded, over cuts', async () => {
    const { services, server, workspace } = await rig([datasetFixture(ID, DATA), datasetFixture('lab/birds', DATA)])
    expect(await services.hub.search({ query: 'birds', kind: 'dataset' })).toEqual([{ id: 'lab/birds', downloads: 1234, gated: false }])
    expect(await services.hub.search({ query: 'birds' })).toEqual([])
    expect(await services.hub.info({ id: 'lab/birds', kind: 'dataset' })).toMatchObject({ licence: 'mit', problem: null, address: `${server.endpoint}/datasets/lab/birds`, files: [{ name: 'data/test-00000-of-00001.parquet' }, { name: 'data/train-00000-of-00002.parquet' }, { name: 'data/train-00001-of-00002.parquet' }] })
    Object.assign(server.trouble, { large: 1000, piece: 1000, cuts: 3, cutAfter: 1000 })
    expect(await get(services, 'lab/birds')).toMatchObject({ kind: 'dataset', state: 'done' })
    expect(server.seen.filter(({ range }) => range === 'bytes=1000-').length).toBeGreaterThanOrEqual(2)
    expect(await get(services, ID)).toMatchObject({ state: 'done' })
    const card = (await services.datasets.list()).find(({ id }) => id === 'lab/birds')
    expect(card).toMatchObject({ source: 'hub', kind: 'parquet', licence: 'mit', problem: null })
    expect(Object.keys(card!.splits)).toEqual(['train', 'test'])
    expect(await services.models.list()).toEqual([])
    services.datasets.remove({ id: 'lab/birds' })
    expect((await services.datasets.list()).map(({ id }) => id)).toEqual([ID])
    expect(readdirSync(join(workspace, 'trash'))).toHaveLength(1)
  })

  it('in another form comes as the hub\'s own copy in parquet; without one it says what to do', async () => {
    const { services } = await rig([datasetFixture('lab/folder', DATA, 'converted'), datasetFixture('lab/images', DATA, 'images')])
    const { files, revision } = await services.hub.info({ id: 'lab/folder', kind: 'dataset' })
    expect(revision).toBe('c'.repeat(40))
    expect(files.map(({ name }) => name)).toContain('default/train/train-00000-of-00002.parquet')
    expect(await get(services, 'lab/folder')).toMatchObject({ state: 'done' })
    expect((await services.datasets.list())[0]).toMatchObject({ problem: null, splits: { train: expect.any(Number) as number, test: expect.any(Number) as number } })
    expect((await services.hub.info({ id: 'lab/images', kind: 'dataset' })).problem).toContain('no parquet files')
    expect(await failure(services.hub.download({ id: 'lab/images', kind: 'dataset' }))).toMatchObject({ code: 'dataset-invalid' })
    expect(await failure(services.hub.info({ id: 'no/such', kind: 'dataset' }))).toMatchObject({ message: expect.stringContaining('has no dataset no/such') as string })
  })
})

describe('the command line', () => {
  it('gets a model, says how far it is, and refuses what is no name', async () => {
    const { services, open } = await rig([datasetFixture('lab/birds', resolve('tests/main/data/fixtures/hf'))])
    const said = { out: '', remarks: '' }
    const around = { stdout: { write: (text: string) => { said.out += text } }, stderr: { write: (text: string) => { said.remarks += text } }, version: '1', signal: new AbortController().signal, open: () => open() }
    expect(await runCommandLine(['backbones', 'get', 'no-owner'], around)).toBe(2)
    expect(await runCommandLine(['backbones', 'get', ID, '--json'], around)).toBe(0)
    expect(JSON.parse(said.out)).toMatchObject({ id: ID, source: 'hub', problem: null })
    expect(said.remarks).toMatch(/of \d+(\.\d)? kB/)
    expect(await services.models.list()).toHaveLength(1)
    expect(await runCommandLine(['datasets', 'get', 'lab/birds'], around)).toBe(0)
    expect(said.out).toContain('lab/birds is at ')
    expect(await runCommandLine(['backbones', 'get', 'no/such'], around)).toBe(2)
    expect(said.remarks).toContain('has no model no/such')
  })
})

describe('what goes wrong is told apart', () => {
  const gatedModel = modelFixture('meta/closed', MODEL, { gated: true })

  it('gated without a token, with a wrong one, and with one that may read', async () => {
    const { services, server } = await rig([gatedModel])
    expect(await services.hub.info({ id: 'meta/closed' })).toMatchObject({ gated: true, problem: null })
    expect(await failure(services.hub.download({ id: 'meta/closed' }))).toMatchObject({ code: 'hub-gated', message: expect.stringContaining(`accept its terms at ${server.endpoint}/meta/closed, then enter your token`) as string })
    services.hub.setToken({ token: 'hf_bad' })
    expect(await failure(services.hub.info({ id: 'meta/closed' }))).toMatchObject({ code: 'hub-token' })
    services.hub.setToken({ token: 'hf_good' })
    await services.hub.download({ id: 'meta/closed' })
    expect(await ended(services, 'meta/closed')).toMatchObject({ state: 'done' })
  })

  it('no such model, an error of the server, and no network', async () => {
    const { services, server } = await rig()
    expect(await failure(services.hub.info({ id: 'no/such' }))).toMatchObject({ code: 'not-found', message: expect.stringContaining('has no model no/such, or it is private') as string })
    for (const [status, code] of [[500, 'hub-failed'], [429, 'hub-failed']] as const) {
      server.trouble.status = status
      expect(await failure(services.hub.search({ query: 'x' }))).toMatchObject({ code })
    }
    const gone = await startHub([])
    await gone.close()
    services.settings.set({ hubEndpoint: gone.endpoint })
    expect(await failure(services.hub.search({ query: 'x' }))).toMatchObject({ code: 'hub-offline', message: expect.stringContaining('it refuses the connection') as string })
  })

  it('names that would climb out of a folder are no names', () => {
    for (const id of ['../x', 'a/..', 'a/b/c', '.a/b', 'a', 'a/b?c', 'a/%2e%2e']) expect(HubId.safeParse(id).success).toBe(false)
    expect(HubId.safeParse('timm/vit_base_patch16_224.augreg_in21k').success).toBe(true)
  })
})

describe('the token', () => {
  it('goes to the endpoint alone, not to where its files lie', async () => {
    const { services, server } = await rig()
    services.hub.setToken({ token: 'hf_good' })
    await services.hub.download({ id: ID })
    expect(await ended(services)).toMatchObject({ state: 'done' })
    const host = new URL(server.endpoint).host
    const elsewhere = server.seen.filter(one => one.host !== host)
    expect(elsewhere.length).toBeGreaterThan(0)
    expect(elsewhere.filter(({ authorization }) => authorization)).toEqual([])
    expect(server.seen.filter(one => one.host === host).every(({ authorization }) => authorization === 'Bearer hf_good')).toBe(true)
  })

  it('is for the host it was given for', async () => {
    const { services, server } = await rig()
    services.hub.setToken({ token: 'hf_good' })
    expect(services.hub.account()).toMatchObject({ token: 'session', keychain: false })
    services.settings.set({ hubEndpoint: server.endpoint.replace('127.0.0.1', 'localhost') })
    expect(services.hub.account().token).toBe('none')
  })

  it('is kept by the keychain, never as it is; without one it ends with the session', async () => {
    const { services, open, workspace } = await rig([], { keychain: () => lock })
    expect(services.hub.setToken({ token: 'hf_good' })).toMatchObject({ token: 'keychain', keychain: true })
    const files = (folder: string): string[] => readdirSync(folder, { withFileTypes: true }).flatMap(entry => entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)])
    expect(files(workspace).filter(file => readFileSync(file, 'latin1').includes('hf_good'))).toEqual([])
    expect(open().hub.account().token).toBe('keychain')
    expect(open({ keychain: () => null }).hub.account().token).toBe('none')
    writeFileSync(join(workspace, 'hub-token'), 'not ours')
    expect(open().hub.account().token).toBe('none')
    expect(open().hub.setToken({ token: null }).token).toBe('none')
    expect(existsSync(join(workspace, 'hub-token'))).toBe(false)
  })

  it('of the environment belongs to the environment\'s hub', async () => {
    const { server, open } = await rig()
    const env = { HF_TOKEN: 'hf_good' }
    expect(open({ env }).hub.account()).toMatchObject({ token: 'none' })
    expect(open({ env: { ...env, HF_ENDPOINT: server.endpoint } }).hub.account()).toMatchObject({ token: 'environment' })
  })
})
