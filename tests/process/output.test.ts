import { spawnSync } from 'node:child_process'
import { existsSync, openSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'

it.skipIf(!existsSync('/dev/full'))('an output that cannot be written is told in one line with code 1', () => {
  const { status, stderr } = spawnSync(process.execPath, [resolve('out/main/cli.js'), 'help'], { stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'], encoding: 'utf8' })
  expect(stderr).toMatch(/^engram: The output could not be written: ENOSPC.*\n$/)
  expect(status).toBe(1)
})
