import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { eventsFile, openEventLog, readEvents, readEventsFrom } from '../../src/main/store/eventLog'
import { started, stepAt, temporaryFolder } from './fixtures'

describe('events.jsonl', () => {
  it('numbers lines and goes on after a reopening', () => {
    const folder = temporaryFolder()
    const log = openEventLog(folder)
    log.append(started())
    log.append(stepAt(1))
    log.close()
    const again = openEventLog(folder)
    again.append(stepAt(2))
    again.close()
    expect(readEvents(folder).map(({ seq }) => seq)).toEqual([0, 1, 2])
    expect(readEvents(folder, 1).map(({ seq }) => seq)).toEqual([2])
  })

  it('cuts a torn last line off on reopening; until then readers do not see it', () => {
    const folder = temporaryFolder()
    const log = openEventLog(folder)
    log.append(stepAt(1))
    log.close()
    appendFileSync(eventsFile(folder), '{"seq":1,"time":1,"event":"st')
    expect(readEvents(folder)).toHaveLength(1)
    const again = openEventLog(folder)
    again.append(stepAt(2))
    again.close()
    expect(readFileSync(eventsFile(folder), 'utf8').trimEnd().split('\n').map(line => JSON.parse(line).step)).toEqual([1, 2])
    expect(readEvents(folder).at(-1)).toMatchObject({ seq: 1, step: 2 })
  })

  it('survives a file that is nothing but a torn line, and a damaged line in the middle', () => {
    const folder = temporaryFolder()
    writeFileSync(eventsFile(folder), '{"seq":0,')
    const log = openEventLog(folder)
    log.append(stepAt(1))
    appendFileSync(eventsFile(folder), 'garbage\n')
    log.close()
    const again = openEventLog(folder)
    again.append(stepAt(2))
    again.close()
    expect(readEvents(folder).map(({ seq }) => seq)).toEqual([0, 1])
  })

  it('a folder in its place is no event, and is not written over', () => {
    const folder = temporaryFolder()
    mkdirSync(eventsFile(folder))
    expect(readEvents(folder)).toEqual([])
    expect(() => openEventLog(folder)).toThrow(/a folder stands where a file is needed/)
  })

  it('finds the last number behind a very long tail of damaged lines', () => {
    const folder = temporaryFolder()
    const log = openEventLog(folder)
    log.append(stepAt(1))
    log.close()
    appendFileSync(eventsFile(folder), `${'x'.repeat(300_000)}\n`)
    const again = openEventLog(folder)
    expect(again.append(stepAt(2)).seq).toBe(1)
    again.close()
  })

  it('reads on from a byte offset and stops before an unfinished line', () => {
    const folder = temporaryFolder()
    const log = openEventLog(folder)
    log.append(stepAt(1))
    const first = readEventsFrom(folder, 0)
    log.append(stepAt(2))
    appendFileSync(eventsFile(folder), '{"seq"')
    const second = readEventsFrom(folder, first.offset)
    expect(second.events.map(event => event.event === 'step' && event.step)).toEqual([2])
    expect(readEventsFrom(folder, second.offset)).toEqual({ events: [], offset: second.offset })
    log.close()
  })
})
