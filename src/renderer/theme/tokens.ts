/**
 * The design's values, once. CSS variables, the chart theme and naive-ui's overrides are all derived from here, because
 * canvas and naive-ui compute with colours and cannot read `var()`.
 */
/** Type, space, shape and rhythm: the same in both themes. */
export const shape = {
  'font-ui': '"Inter Variable", Inter, system-ui, "Segoe UI", sans-serif',
  'font-mono': '"JetBrains Mono Variable", "JetBrains Mono", ui-monospace, Consolas, monospace', 'fs-10': '10.5px',
  'fs-11': '11px', 'fs-12': '12px', 'fs-13': '13px', 'fs-15': '15px', 'fs-20': '20px', 'lh-tight': '16px',
  'lh-base': '20px', 'lh-title': '24px', 'fw-normal': '400', 'fw-medium': '500', 'fw-strong': '600', 'sp-1': '4px',
  'sp-2': '8px', 'sp-3': '12px', 'sp-4': '16px', 'sp-5': '20px', 'sp-6': '24px', 'sp-8': '32px', 'row': '32px',
  'row-compact': '24px', 'control': '28px', 'control-small': '24px', 'titlebar': '40px', 'rail': '176px',
  'rail-collapsed': '48px', 'statusbar': '24px', 'pagehead': '48px', 'radius': '6px', 'radius-small': '4px',
  'radius-pill': '10px', 'ease': 'cubic-bezier(.2, 0, 0, 1)', 't-fast': '90ms', 't-base': '160ms',
  'dash-train': 'none', 'dash-validation': '5 3', 'dash-test': '1 3',
} as const

/** Colours by meaning: surfaces, lines, text, the one accent, run states, runs in charts, gains, amounts. */
export const light = {
  'bg-app': '#F4F4F3', 'bg-surface': '#FFFFFF', 'bg-sunken': '#F8F8F7', 'bg-raised': '#FFFFFF', 'bg-hover': '#F2F3F3',
  'bg-active': '#E9EAEA', 'bg-selected': '#E7F2F2', 'bg-scrim': 'rgba(23, 25, 27, .32)', 'line': '#E6E7E7',
  'line-strong': '#D3D5D6', 'line-control': '#8B9197', 'text-1': '#17191B', 'text-2': '#50555B', 'text-3': '#62686F',
  'text-disabled': '#9BA0A5', 'accent': '#0B7075', 'accent-hover': '#095F63', 'accent-active': '#074F53',
  'accent-soft': '#E2F0F0', 'accent-line': '#7DB9BA', 'on-accent': '#FFFFFF', 'focus': '#0B7075',
  'st-queued': '#62686F', 'st-running': '#187539', 'st-finished': '#50555B', 'st-stopped': '#62686F',
  'st-interrupted': '#8A6100', 'st-failed': '#B3261E', 'ok': '#187539', 'warn': '#8A6100', 'warn-soft': '#FBF3DC',
  'warn-line': '#E3C976', 'error': '#B3261E', 'error-soft': '#FCEDEB', 'error-line': '#E9ABA6', 'run-1': '#3561C9',
  'run-2': '#B8186A', 'run-3': '#2AA58C', 'run-4': '#B37500', 'run-5': '#063F5C', 'run-6': '#6E1A10',
  'run-7': '#AE78DA', 'run-8': '#757B85', 'gain-d5': '#214487', 'gain-d4': '#2961BB', 'gain-d3': '#3B82E4',
  'gain-d2': '#61A7FE', 'gain-d1': '#A1CCFE', 'gain-0': '#EEEFF1', 'gain-p1': '#F8B97F', 'gain-p2': '#E38D42',
  'gain-p3': '#C6660B', 'gain-p4': '#9E4906', 'gain-p5': '#753006', 'gain-d-text': '#2659AE',
  'gain-p-text': '#9A4706', 'seq-0': '#F4F8F8', 'seq-1': '#BCDCDB', 'seq-2': '#8DC2C1', 'seq-3': '#60A7A7',
  'seq-4': '#348C8C', 'seq-5': '#007070', 'seq-6': '#005353', 'chart-grid': '#EEEFEF', 'chart-axis': '#C9CCCE',
  'chart-raw-opacity': '.26', 'popover-shadow': '0 6px 20px rgba(23, 25, 27, .10)',
} as const

export type ColourName = keyof typeof light
export type Palette = Record<ColourName, string>

/** The same names for the dark theme. */
export const dark: Palette = {
  'bg-app': '#131416', 'bg-surface': '#1A1B1D', 'bg-sunken': '#151618', 'bg-raised': '#222426', 'bg-hover': '#222426',
  'bg-active': '#2A2D2F', 'bg-selected': '#18302F', 'bg-scrim': 'rgba(0, 0, 0, .5)', 'line': '#292B2E',
  'line-strong': '#383B3F', 'line-control': '#70767D', 'text-1': '#ECEDEE', 'text-2': '#ADB2B7', 'text-3': '#92989F',
  'text-disabled': '#5E6369', 'accent': '#4FC4C0', 'accent-hover': '#6AD2CE', 'accent-active': '#3AAEAA',
  'accent-soft': '#183231', 'accent-line': '#2F6D6B', 'on-accent': '#06201F', 'focus': '#4FC4C0',
  'st-queued': '#92989F', 'st-running': '#5CC77E', 'st-finished': '#ADB2B7', 'st-stopped': '#92989F',
  'st-interrupted': '#DDB44A', 'st-failed': '#F2777A', 'ok': '#5CC77E', 'warn': '#DDB44A', 'warn-soft': '#2C2616',
  'warn-line': '#5F5022', 'error': '#F2777A', 'error-soft': '#341D1E', 'error-line': '#6E3536', 'run-1': '#5C9DFF',
  'run-2': '#E0559F', 'run-3': '#A9E3B0', 'run-4': '#AD8B1E', 'run-5': '#5FDDFB', 'run-6': '#E2A673',
  'run-7': '#866ADB', 'run-8': '#9AA5AE', 'gain-d5': '#9CD3FE', 'gain-d4': '#54B2FF', 'gain-d3': '#348DE0',
  'gain-d2': '#2769B4', 'gain-d1': '#21477E', 'gain-0': '#242527', 'gain-p1': '#713500', 'gain-p2': '#9C5300',
  'gain-p3': '#C3740A', 'gain-p4': '#E49834', 'gain-p5': '#F9C173', 'gain-d-text': '#6FB6FF',
  'gain-p-text': '#EBA24A', 'seq-0': '#1D2122', 'seq-1': '#244140', 'seq-2': '#27605E', 'seq-3': '#2D7F7D',
  'seq-4': '#3E9F9C', 'seq-5': '#5CBEBB', 'seq-6': '#83DDD9', 'chart-grid': '#232527', 'chart-axis': '#3D4145',
  'chart-raw-opacity': '.30', 'popover-shadow': '0 6px 20px rgba(0, 0, 0, .45)',
}

export type ThemeName = 'light' | 'dark'
export const palettes: Record<ThemeName, Palette> = { light, dark }
/** Runs in charts, in this order; colour-blind safe for the first four. */
export const runColours = ['run-1', 'run-2', 'run-3', 'run-4', 'run-5', 'run-6', 'run-7', 'run-8'] as const
