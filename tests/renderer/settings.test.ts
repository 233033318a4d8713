import { describe, expect, it } from 'vitest'
import { Settings } from '../../src/main/contract/system'
import { settingNames, speaksOf } from '../../src/renderer/settings/names'

const found = (searched: string) => settingNames.filter(one => speaksOf(one, searched)).map(({ id }) => id)

describe('settings', () => {
  it('have a name each, but for what is set elsewhere', () => {
    const kept = Object.keys(Settings.shape).filter(key => !['runViews', 'hintsSeen'].includes(key))
    expect(settingNames.map(({ id }) => id).filter(id => !['workspace', 'disk', 'hubToken'].includes(id)).sort()).toEqual(kept.sort())
  })

  it('are found by the words of their name and help', () => {
    expect(found('')).toHaveLength(settingNames.length)
    expect(found('sleep')).toEqual(['keepAwake'])
    expect(found('window size')).toEqual(['scale'])
    expect(found('nothing of this')).toEqual([])
  })
})
