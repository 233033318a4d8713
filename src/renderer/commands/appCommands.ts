import { ArrowLeft, Bookmark, Grid3x3, Images, Keyboard, Layers, ListOrdered, PanelLeftClose, Plus, Rows3, Search, Settings2, SunMoon, Undo2, ZoomIn, ZoomOut } from '@lucide/vue'
import type { Component } from 'vue'
import { useRouter } from 'vue-router'
import { settingNames } from '../settings/names'
import { useCatalog } from '../stores/catalog'
import { useRuns } from '../stores/runs'
import { useSettings } from '../stores/settings'
import { type Command, command } from './registry'
import { paletteOpen, sheetOpen } from './shell'
import type { CommandId } from './table'

/** The views of the rail, in its order. */
export const views: readonly { id: CommandId; to: string; icon: Component }[] = [
  { id: 'go.runs', to: '/runs', icon: Rows3 }, { id: 'go.new', to: '/new', icon: Plus }, { id: 'go.queue', to: '/queue', icon: ListOrdered }, { id: 'go.checkpoints', to: '/checkpoints', icon: Bookmark },
  { id: 'go.datasets', to: '/datasets', icon: Images }, { id: 'go.backbones', to: '/backbones', icon: Layers }, { id: 'go.matrix', to: '/matrix', icon: Grid3x3 }, { id: 'go.settings', to: '/settings', icon: Settings2 },
]
export const scales = [0.9, 1, 1.1, 1.25, 1.5]

/** What can be done on any page, and the runs and settings that the palette leads to. */
export function useAppCommands(): { always: () => Command[]; places: () => Command[] } {
  const router = useRouter(), runs = useRuns(), settings = useSettings(), catalog = useCatalog()
  const scaleBy = (by: number) => {
    const next = scales[scales.indexOf(settings.values.scale) + by]
    if (next) void settings.set({ scale: next })
  }

  const always = (): Command[] => [
    ...views.map(({ id, to, icon }) => command(id, () => router.push(to), { icon })),
    command('go.back', () => router.back(), { icon: ArrowLeft }),
    ...runs.leaving.size ? [command('undo', runs.undoRemoval, { icon: Undo2 })] : [],
    command('theme', () => settings.set({ theme: settings.theme === 'dark' ? 'light' : 'dark' }), { icon: SunMoon }),
    command('rail', () => settings.set({ railCollapsed: !settings.values.railCollapsed }), { icon: PanelLeftClose }),
    command('larger', () => scaleBy(1), { icon: ZoomIn }), command('smaller', () => scaleBy(-1), { icon: ZoomOut }),
    command('shortcuts', () => { sheetOpen.value = !sheetOpen.value }, { icon: Keyboard }),
    command('palette', () => { paletteOpen.value = true }, { icon: Search }),
  ]
  const places = (): Command[] => [
    ...runs.all.map(run => ({ id: `run ${run.id}`, group: 'Run', label: run.name || run.id, detail: catalog.methodTitle(run.method, run.san), keys: '', apply: () => router.push(`/runs/${run.id}`) })),
    ...settingNames.map(({ id, name, help }) => ({ id: `setting ${id}`, group: 'Setting', label: name, detail: help, keys: '', icon: Settings2, apply: () => router.push({ path: '/settings', query: { find: name } }) })),
  ]
  return { always, places }
}
