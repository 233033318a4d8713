type Group = 'Everywhere' | 'Go to' | 'Runs' | 'New run' | 'Run' | 'Queue' | 'Charts and maps'
interface CommandWords { group: Group; label: string; keys?: string; local?: true }

/**
 * Every action that has a name or a key, once: the palette, the sheet of shortcuts, tooltips and the keyboard itself read it.
 * `local`: the keys belong to the control that has the focus, so the palette cannot run them.
 */
export const table = {
  palette: { group: 'Everywhere', label: 'Go to a run, a view, an action', keys: 'Ctrl K' },
  shortcuts: { group: 'Everywhere', label: 'Keyboard shortcuts', keys: '?' },
  theme: { group: 'Everywhere', label: 'Switch between light and dark', keys: 'Ctrl Shift L' },
  rail: { group: 'Everywhere', label: 'Collapse or expand the rail', keys: 'Ctrl B' },
  undo: { group: 'Everywhere', label: 'Undo removal', keys: 'Ctrl Z' },
  larger: { group: 'Everywhere', label: 'Larger scale', keys: 'Ctrl +' },
  smaller: { group: 'Everywhere', label: 'Smaller scale', keys: 'Ctrl -' },
  'go.runs': { group: 'Go to', label: 'Runs', keys: 'Ctrl 1' },
  'go.new': { group: 'Go to', label: 'New run', keys: 'Ctrl N' },
  'go.queue': { group: 'Go to', label: 'Queue', keys: 'Ctrl 2' },
  'go.checkpoints': { group: 'Go to', label: 'Checkpoints', keys: 'Ctrl 3' },
  'go.datasets': { group: 'Go to', label: 'Datasets', keys: 'Ctrl 4' },
  'go.backbones': { group: 'Go to', label: 'Backbones', keys: 'Ctrl 5' },
  'go.matrix': { group: 'Go to', label: 'Matrix', keys: 'Ctrl 6' },
  'go.settings': { group: 'Go to', label: 'Settings', keys: 'Ctrl ,' },
  'go.back': { group: 'Go to', label: 'Back', keys: 'Alt ←' },
  'runs.search': { group: 'Runs', label: 'Search runs', keys: '/' },
  'runs.clear': { group: 'Runs', label: 'Clear selection', keys: 'Esc' },
  'runs.compare': { group: 'Runs', label: 'Compare selected runs', keys: 'C' },
  'runs.rows': { group: 'Runs', label: 'Next or previous run', keys: '↑ ↓', local: true },
  'runs.select': { group: 'Runs', label: 'Select a run', keys: 'Space', local: true },
  'runs.open': { group: 'Runs', label: 'Open a run', keys: 'Enter', local: true },
  'new.start': { group: 'New run', label: 'Start run, or go to what is missing', keys: 'Ctrl Enter' },
  'new.mode': { group: 'New run', label: 'Switch between form and recipe', keys: 'Ctrl E' },
  panel: { group: 'Run', label: 'Show or hide the side panel', keys: 'I' },
  'run.overview': { group: 'Run', label: 'Overview', keys: '1' },
  'run.engram': { group: 'Run', label: 'Engram', keys: '2' },
  'run.evaluation': { group: 'Run', label: 'Evaluation', keys: '3' },
  'run.checkpoints': { group: 'Run', label: 'Checkpoints of the run', keys: '4' },
  'run.recipe': { group: 'Run', label: 'Recipe', keys: '5' },
  'run.log': { group: 'Run', label: 'Log', keys: '6' },
  'run.next': { group: 'Run', label: 'Stop and save, or resume', keys: 'S' },
  'run.save': { group: 'Run', label: 'Save a checkpoint now', keys: 'Ctrl S' },
  'run.evaluate': { group: 'Run', label: 'Evaluate now', keys: 'E' },
  'run.clone': { group: 'Run', label: 'Clone with changes', keys: 'D' },
  'queue.rows': { group: 'Queue', label: 'Next or previous waiting run', keys: '↑ ↓', local: true },
  'queue.move': { group: 'Queue', label: 'Move a waiting run', keys: 'Alt ↑ ↓', local: true },
  'queue.lane': { group: 'Queue', label: 'Move it to the lane beside', keys: 'Alt ← →', local: true },
  'queue.remove': { group: 'Queue', label: 'Remove from queue', keys: 'Delete', local: true },
  'charts.table': { group: 'Charts and maps', label: 'Charts as tables', keys: 'T' },
  'charts.overlay': { group: 'Charts and maps', label: 'Overlay a run', keys: 'O' },
  'charts.cells': { group: 'Charts and maps', label: 'Walk a heat map or matrix', keys: '← ↑ → ↓', local: true },
  'charts.steps': { group: 'Charts and maps', label: 'Step of the Engram page', keys: '← →', local: true },
} as const satisfies Record<string, CommandWords>

export type CommandId = keyof typeof table
export const wordsOf = (id: CommandId): CommandWords => table[id]
export const keysOf = (id: CommandId): string => wordsOf(id).keys ?? ''
/** What a tooltip says of an action. */
export const hint = (id: CommandId, label: string = wordsOf(id).label): string => keysOf(id) ? `${label} (${keysOf(id)})` : label
