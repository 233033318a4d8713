import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs, { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { AppError } from '../../src/main/contract/errors'
import { buildFolder, removeTemporaries, stageFolder, writeDurable, writeFileAtomic } from '../../src/main/store/atomic'
import { saveCheckpoint, listCheckpoints } from '../../src/main/store/checkpoints'
import { openWorkspace } from '../../src/main/store/paths'
import { temporaryFolder } from './fixtures'

const realWrite = fs.writeSync
function failWritesWith(code: string): void {
  fs.writeSync = (() => { throw Object.assign(new Error(code), { code }) }) as typeof fs.writeSync
  syncBuiltinESMExports()
}
afterEach(() => {
  fs.writeSync = realWrite
  syncBuiltinESMExports()
})

const thrownBy = (work: () => unknown): AppError => {
  try {
    work()
  } catch (thrown) {
    return thrown as AppError
  }
  throw new Error('nothing was thrown')
}

describe('atomic files', () => {
  it('replaces a file and leaves nothing beside it', () => {
    const folder = temporaryFolder()
    writeFileAtomic(join(folder, 'a.json'), 'old')
    writeFileAtomic(join(folder, 'a.json'), 'new')
    expect(readFileSync(join(folder, 'a.json'), 'utf8')).toBe('new')
    expect(readdirSync(folder)).toEqual(['a.json'])
  })

  it.each([['ENOSPC', 'disk-full', /disk is full/], ['EACCES', 'workspace-unwritable', /no permission/], ['EROFS', 'workspace-unwritable', /read-only/], ['EISDIR', 'workspace-unwritable', /a folder stands/], ['ENAMETOOLONG', 'workspace-unwritable', /too long/]] as const)(
    'keeps the old file on %s and says so in one sentence', (code, expected, words) => {
      const folder = temporaryFolder()
      writeFileAtomic(join(folder, 'a.json'), 'old')
      failWritesWith(code)
      const error = thrownBy(() => writeFileAtomic(join(folder, 'a.json'), 'new'))
      expect(error.code).toBe(expected)
      expect(error.message).toMatch(words)
      expect(error.message).not.toContain('\n')
      expect(readdirSync(folder)).toEqual(['a.json'])
      expect(readFileSync(join(folder, 'a.json'), 'utf8')).toBe('old')
    })

  it('writes into a pipe or a device and leaves it what it is', async () => {
    const pipe = join(temporaryFolder(), 'pipe')
    execFileSync('mkfifo', [pipe])
    const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] })
    let read = ''
    reader.stdout.on('data', (chunk: Buffer) => { read += chunk })
    writeFileAtomic(pipe, 'through')
    await once(reader, 'close')
    expect([read, statSync(pipe).isFIFO()]).toEqual(['through', true])
  })

  it('says that a workspace cannot be made where a file stands', () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    expect(thrownBy(() => openWorkspace(file)).code).toBe('workspace-unwritable')
  })
})

describe('atomic folders', () => {
  it('shows the folder only when it is whole', () => {
    const final = join(temporaryFolder(), 'f')
    const staged = stageFolder(final)
    writeDurable(join(staged.path, 'a'), '1')
    expect(existsSync(final)).toBe(false)
    staged.commit()
    expect(readdirSync(final)).toEqual(['a'])
  })

  it('leaves nothing when filling fails, and keeps what was there before', () => {
    const parent = temporaryFolder()
    const final = join(parent, 'f')
    buildFolder(final, folder => writeDurable(join(folder, 'a'), 'old'))
    expect(() => buildFolder(final, folder => {
      writeDurable(join(folder, 'a'), 'new')
      throw new Error('defect')
    })).toThrow('defect')
    expect(readdirSync(parent)).toEqual(['f'])
    expect(readFileSync(join(final, 'a'), 'utf8')).toBe('old')
  })

  it('clears what a dead writer left, puts a half-replaced folder back, and spares a living writer', () => {
    const parent = temporaryFolder()
    for (const name of ['.tmp-999999999-ab12-x', `.tmp-${process.pid}-ab12-y`, '.old-1-ab12-kept', '.old-1-ab12-gone', 'gone']) mkdirSync(join(parent, name))
    removeTemporaries(parent)
    expect(readdirSync(parent).sort()).toEqual([`.tmp-${process.pid}-ab12-y`, 'gone', 'kept'])
    removeTemporaries(parent, true)
    expect(readdirSync(parent).sort()).toEqual(['gone', 'kept'])
  })
})

describe('a full disk', () => {
  const mount = (folder: string) => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  }

  it('loses no checkpoint: the failed one leaves nothing behind', ({ skip, onTestFinished }) => {
    const folder = temporaryFolder()
    if (!mount(folder)) return skip('mounting a small file system is not permitted here')
    onTestFinished(() => void execFileSync('umount', [folder]))
    const content = (step: number, bytes: number) => ({ step, epoch: 0, files: { 'a.safetensors': [new Uint8Array(bytes)] }, metrics: {}, best: false })
    saveCheckpoint(folder, content(1, 50_000))
    const error = thrownBy(() => saveCheckpoint(folder, content(2, 500_000)))
    expect(error.code).toBe('disk-full')
    expect(listCheckpoints(folder).map(({ state }) => state.step)).toEqual([1])
    expect(readdirSync(join(folder, 'checkpoints'))).toEqual(['step-000001'])
    saveCheckpoint(folder, content(3, 50_000))
    expect(listCheckpoints(folder)).toHaveLength(2)
  })
})

it.skipIf(!existsSync('/proc/self'))('a workspace in a file system without room for folders is refused, not waited for', () => {
  const { code, message } = thrownBy(() => openWorkspace('/proc/nowhere/workspace'))
  expect([code, message]).toEqual(['workspace-unwritable', expect.stringMatching(/^Could not make the workspace \/proc\/nowhere\/workspace: /)])
})
