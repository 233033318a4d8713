import { cpSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { imageAddress, parseImageAddress } from '../../src/main/contract/image'
import { answerImage } from '../../src/main/ipc/images'
import { createServices } from '../../src/main/services/index'
import { openDataset } from '../../src/main/store/data/open'
import { writeEvaluation } from '../../src/main/store/evaluations'
import { openWorkspace } from '../../src/main/store/paths'
import { openRunStore } from '../../src/main/store/runStore'
import { draftOf, temporaryFolder } from './fixtures'

vi.mock('electron', () => ({ protocol: {} }))

describe('addresses of images', () => {
  it('say which sample, never which file', () => {
    const image = { of: 'run' as const, run: 'run-1', evaluation: 'step-000040-test-0123', index: 7, side: 96 }
    expect(imageAddress(image)).toBe('engram-image://run/run-1/step-000040-test-0123/7/96')
    expect(parseImageAddress(imageAddress(image))).toEqual(image)
    expect(parseImageAddress(imageAddress({ of: 'data', id: 'digits', index: 0, side: 32 }))).toEqual({ of: 'data', id: 'digits', index: 0, side: 32 })
  })

  it.each([
    'engram-image://run/../../etc/passwd/7/96', 'engram-image://run/run-1/step-000040-test-0123/7/96/more', 'engram-image://run/run-1/step-000040-test-0123/-7/96',
    'engram-image://run/run-1/step-000040-test-0123/7/999999', 'engram-image://run/run-1/%2e%2e/7/96', 'engram-image://run/run-1/..%2f..%2fx/7/96', 'engram-image://data/..%2f/0/96',
    'engram-image://data/../0/96', 'engram-image://data//0/96', 'engram-image://data/digits/0/96/9', 'engram-image://data/digits/1e9/96', 'engram-image://data/digits/0', 'engram-image://file/etc/passwd',
    'engram-image://data/digits/0/96?x=1', 'file:///etc/passwd', 'http://data/digits/0/96', '', 'engram-image://', 'engram-image://run/run-1/step-000040-test-0123/NaN/96',
  ])('%s is refused', address => expect(parseImageAddress(address)).toBeNull())
})

describe('images for the window', () => {
  const bench = async () => {
    const folder = temporaryFolder(), data = join(folder, 'data')
    for (const name of ['a', 'b']) {
      mkdirSync(join(data, 'test', name), { recursive: true })
      mkdirSync(join(data, 'train', name), { recursive: true })
      for (const split of ['train', 'test']) cpSync(resolve('tests/main/data/fixtures/sharp.png'), join(data, split, name, '1.png'))
    }
    writeFileSync(join(data, 'test/b/2.png'), 'no image')
    const workspace = openWorkspace(join(folder, 'workspace'))
    const store = openRunStore(workspace)
    const made = store.create(draftOf())
    const source = await openDataset(data)
    const evaluation = writeEvaluation(made.folder, {
      format: 1, run: made.manifest.id, step: 1, split: 'test', data: { name: 'data', path: data, hash: source.fingerprint }, classes: ['a', 'b'], samples: 1, metrics: {}, savedAt: 1,
    }, [{ index: 0, file: 'x', label: 0, top: [0], probabilities: [1] }])
    store.close()
    const open = () => {
      const services = createServices({ workspace: workspace.root, resources: join(folder, 'none'), version: '1', fork: () => { throw new Error('no trainer') } })
      onTestFinished(() => services.close())
      return services
    }
    const services = open()
    const get = (address: string, method = 'GET', from = services) => answerImage(from.images, { url: address, method })
    const at = (index: number, side = 64, from = services) => get(imageAddress({ of: 'run', run: made.manifest.id, evaluation, index, side }), 'GET', from)
    return { data, get, at, open, services, broken: source.samples.findIndex(({ file }) => file.endsWith('2.png')) }
  }

  it('are small PNGs of samples that a run was measured on', async () => {
    const { at, broken } = await bench()
    const answer = await at(0, 16)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('image/png')
    const png = Buffer.from(await answer.arrayBuffer())
    expect(png.subarray(1, 4).toString()).toBe('PNG')
    expect(Math.max(png.readUInt32BE(16), png.readUInt32BE(20))).toBeLessThanOrEqual(16)
    expect((await at(99)).status).toBe(404)
    expect(await (await at(broken)).text()).toMatch(/cannot be shown/)
  })

  it('are refused for what no run and no list knows, and once the data changed', async () => {
    const { at, get, data, open, services } = await bench()
    expect((await get('engram-image://data/data/0/32')).status).toBe(404)
    await services.datasets.add({ path: data })
    expect((await get('engram-image://data/data/0/32')).status).toBe(200)
    expect((await get('engram-image://data/data/0/32', 'POST')).status).toBe(400)
    expect((await get('engram-image://run/no-such-run/step-000001-test-0/0/32')).status).toBe(404)
    expect((await get('engram-image://run/../../../etc/passwd')).status).toBe(400)
    renameSync(join(data, 'test/a/1.png'), join(data, 'test/a/9.png'))
    expect(await (await at(0)).text()).toMatch(/cannot be read/)
    expect(await (await at(0, 64, open())).text()).toMatch(/changed since they were measured/)
  })
})
