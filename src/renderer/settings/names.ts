/** Every setting, once: what it is called and what it does. The Settings page and the palette read it. */
export const settingNames = [
  { id: 'theme', section: 'Appearance', name: 'Theme', help: '' },
  { id: 'density', section: 'Appearance', name: 'Density', help: 'Height of table rows' },
  { id: 'scale', section: 'Appearance', name: 'Scale', help: 'Size of everything in the window' },
  { id: 'smoothing', section: 'Appearance', name: 'Smoothing of charts', help: 'Loss, accuracy and gradient norm; never learning rate, memory and throughput' },
  { id: 'railCollapsed', section: 'Appearance', name: 'Collapsed rail', help: 'Views at the left as icons alone' },
  { id: 'closing', section: 'Training', name: 'When the window closes', help: 'While a run trains' },
  { id: 'startQueue', section: 'Training', name: 'Start waiting runs', help: 'Go on with the queue when Engram opens; off leaves its lanes paused' },
  { id: 'notify', section: 'Training', name: 'Notifications', help: 'When a run finishes or fails and the window is not in front' },
  { id: 'keepAwake', section: 'Training', name: 'Keep awake', help: 'The machine does not go to sleep while a run trains' },
  { id: 'workspace', section: 'Workspace and disk', name: 'Workspace', help: 'Runs, checkpoints, exports and caches live here' },
  { id: 'disk', section: 'Workspace and disk', name: 'Free disk space', help: '' },
  { id: 'cacheLimitBytes', section: 'Workspace and disk', name: 'Cache limit', help: 'Oldest entries leave first; at least 0.1 GB' },
  { id: 'checkpointBudgetBytes', section: 'Workspace and disk', name: 'Checkpoint budget', help: 'What checkpoints should take at most; Prune offers what to delete' },
  { id: 'hubEndpoint', section: 'Hugging Face hub', name: 'Address', help: 'Of the hub or of a mirror that speaks as it does' },
  { id: 'hubToken', section: 'Hugging Face hub', name: 'Token', help: 'For gated and private models of the hub' },
] as const
export type SettingId = typeof settingNames[number]['id']

export const SEARCHED = 'searched settings'
/** Whether a setting is meant by what was searched for: each word stands in its name or its help. */
export const speaksOf = ({ name, help }: { name: string; help: string }, searched: string): boolean =>
  searched.toLowerCase().split(/\s+/).every(word => `${name} ${help}`.toLowerCase().includes(word))
