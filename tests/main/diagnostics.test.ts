import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir, hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createServices, nodeFork } from '../../src/main/services/index'
import { redact } from '../../src/main/services/redact'
import { openEventLog } from '../../src/main/store/eventLog'
import { openWorkspace } from '../../src/main/store/paths'
import { openRunStore } from '../../src/main/store/runStore'
import { bundle } from './bundle'
import { draftOf, started, stepAt, temporaryFolder } from './fixtures'

let trainer: Awaited<ReturnType<typeof bundle>>
beforeAll(async () => { trainer = await bundle('tests/main/fakeTrainer.ts') })
afterAll(() => trainer.remove())

describe('diagnostics', () => {
  it('tell what a helper needs, and nothing of where things lie or what they are called', async () => {
    const folder = temporaryFolder(), workspace = openWorkspace(join(folder, 'private work space'))
    const resources = join(folder, 'resources')
    mkdirSync(join(resources, 'samples/backbones'), { recursive: true })
    mkdirSync(join(folder, 'Private Patients/a'), { recursive: true })
    const store = openRunStore(workspace)
    const draft = draftOf('private study')
    draft.recipe.data.from = join(folder, 'Private Patients')
    draft.resolved = { ...draft.resolved, dataPath: join(folder, 'Private Patients'), classes: ['private tumour', 'healthy'] }
    const { folder: runFolder, manifest } = store.create(draft)
    const log = openEventLog(runFolder)
    log.append({ ...started(), folder: runFolder, run: manifest.id } as never)
    log.append(stepAt(1))
    log.append({ event: 'notice', level: 'warning', message: `${join(folder, 'Private Patients/a/private-face.png')} is cut short; private-face.png, scans/private.jpg of private tumour` })
    log.append({ event: 'failed', run: manifest.id, step: 1, metrics: {}, seconds: 1, imagesPerSecond: 1, peakMemory: 1, error: { code: 'out-of-memory', message: `Out of memory in ${runFolder} for ${userInfo().username}` } })
    log.close()
    writeFileSync(join(runFolder, 'trainer.log'), `OOM at /opt/private/lib.so:12 in ${homedir()}/x on ${hostname()}\nC:\\\\private\\\\x.png\n`)
    store.close()
    const services = createServices({ workspace: workspace.root, resources, version: '1.2.3', fork: nodeFork(trainer.path) })
    onTestFinished(() => services.close())
    const { name, text } = await services.system.diagnostics()
    expect(name).toMatch(/^engram-diagnostics-\d{4}-\d\d-\d\d\.txt$/)
    for (const known of ['Engram 1.2.3', process.versions.node, '"theme":"system"', 'Runs: 1 failed', 'out-of-memory: Out of memory in [workspace]', '"type":"ssf"', '"learningRate"', 'TensorFlow:', 'OOM at [path]']) expect(text).toContain(known)
    expect(text).not.toMatch(/private|patients|tumour|healthy/i)
    for (const secret of [folder, workspace.root, homedir(), manifest.id, process.cwd()]) expect(text).not.toContain(secret)
    expect(text).not.toMatch(new RegExp(`(?<![\\w[])${userInfo().username}(?!\\w)`))
  })

  it.each([
    ['/a/b c', '[path] c'], ['see "/etc/x y"', 'see "[path] y"'], ['1/2 and 20 images/s', '1/2 and 20 images/s'], ['C:\\Users\\me\\x', '[path]'], ['~/data', '[path]'], ['a/b/photo.JPG', '[file]'], ['\\\\server\\share', '[path]'], ['http://x', 'http:[path]'],
  ])('%s becomes %s', (text, expected) => { expect(redact(text, [])).toBe(expected) })

  it('takes the longest known place first, and words whole', () => {
    expect(redact('/wrk/data/x in /wrk, wrkd wrk', [{ text: '/wrk/data', word: '[data]' }, { text: '/wrk', word: '[workspace]' }])).toBe('[data]/x in [workspace], wrkd wrk')
    expect(redact('adam and ada', [{ text: 'ada', word: '[user]' }])).toBe('adam and [user]')
  })
})
