import type { GlobalThemeOverrides } from 'naive-ui'
import { palettes, shape, type ThemeName } from './tokens'

/** naive-ui speaking the design's tokens. */
export function naiveOverrides(theme: ThemeName): GlobalThemeOverrides {
  const c = palettes[theme]
  const focusRing = `0 0 0 2px ${c['bg-surface']}, 0 0 0 4px ${c.focus}`
  const floating = `0 0 0 1px ${c['line-strong']}, ${c['popover-shadow']}`
  return {
    common: {
      fontFamily: shape['font-ui'], fontFamilyMono: shape['font-mono'], fontWeightStrong: '600',
      fontSize: '13px', fontSizeMini: '11px', fontSizeTiny: '12px', fontSizeSmall: '13px', fontSizeMedium: '13px', fontSizeLarge: '13px',
      heightTiny: '20px', heightSmall: '24px', heightMedium: '28px', heightLarge: '32px',
      borderRadius: '6px', borderRadiusSmall: '4px',
      primaryColor: c.accent, primaryColorHover: c['accent-hover'], primaryColorPressed: c['accent-active'], primaryColorSuppl: c.accent,
      infoColor: c['text-2'], infoColorHover: c['text-2'], infoColorPressed: c['text-2'], infoColorSuppl: c['text-2'],
      errorColor: c.error, errorColorHover: c.error, errorColorPressed: c.error, errorColorSuppl: c.error,
      warningColor: c.warn, warningColorHover: c.warn, warningColorPressed: c.warn, warningColorSuppl: c.warn,
      successColor: c.ok, successColorHover: c.ok, successColorPressed: c.ok, successColorSuppl: c.ok,
      textColorBase: c['text-1'], textColor1: c['text-1'], textColor2: c['text-1'], textColor3: c['text-2'],
      textColorDisabled: c['text-disabled'], placeholderColor: c['text-3'], iconColor: c['text-3'],
      dividerColor: c.line, borderColor: c['line-strong'], bodyColor: c['bg-surface'], cardColor: c['bg-surface'],
      modalColor: c['bg-raised'], popoverColor: c['bg-raised'], tableColor: c['bg-surface'], inputColor: c['bg-surface'],
      hoverColor: c['bg-hover'], railColor: c['line-strong'], scrollbarWidth: '8px', scrollbarHeight: '8px',
      boxShadow1: 'none', boxShadow2: floating, boxShadow3: floating,
      cubicBezierEaseInOut: shape.ease, cubicBezierEaseOut: shape.ease,
    },
    Input: {
      border: `1px solid ${c['line-strong']}`, borderHover: `1px solid ${c['line-control']}`, borderFocus: `1px solid ${c.accent}`,
      boxShadowFocus: `0 0 0 2px ${c['accent-soft']}`, colorFocus: c['bg-surface'], paddingMedium: '0 8px', paddingSmall: '0 8px',
      borderWarning: `1px solid ${c.warn}`, borderError: `1px solid ${c.error}`, colorDisabled: c['bg-sunken'],
    },
    Select: {
      peers: {
        InternalSelection: {
          border: `1px solid ${c['line-strong']}`, borderHover: `1px solid ${c['line-control']}`, borderFocus: `1px solid ${c.accent}`,
          borderActive: `1px solid ${c.accent}`, boxShadowFocus: `0 0 0 2px ${c['accent-soft']}`, boxShadowActive: `0 0 0 2px ${c['accent-soft']}`,
          color: c['bg-surface'], colorActive: c['bg-surface'], paddingSingle: '0 24px 0 8px',
        },
        InternalSelectMenu: { color: c['bg-raised'], optionColorActive: c['bg-selected'], optionTextColorActive: c['text-1'], optionCheckColor: c.accent, optionHeightMedium: '28px', optionHeightSmall: '28px' },
      },
    },
    Switch: { railColorActive: c.accent, buttonColor: theme === 'dark' ? c['bg-surface'] : '#FFFFFF', boxShadowFocus: 'none' },
    Slider: { fillColor: c.accent, fillColorHover: c.accent, railColor: c['line-strong'], railColorHover: c['line-strong'], railHeight: '2px', handleSize: '12px', handleColor: c['bg-surface'], handleBoxShadow: `0 0 0 1.5px ${c.accent}`, handleBoxShadowHover: `0 0 0 1.5px ${c.accent}`, handleBoxShadowActive: `0 0 0 3px ${c['accent-soft']}`, handleBoxShadowFocus: `0 0 0 2px ${c.accent}` },
    Dropdown: { color: c['bg-raised'], optionColorHover: c['bg-hover'], optionTextColor: c['text-1'], optionHeightMedium: '28px', borderRadius: '6px', padding: '4px 0' },
    Popover: { color: c['bg-raised'], textColor: c['text-1'], padding: '8px 12px', boxShadow: floating },
    Tooltip: { color: c['bg-raised'], textColor: c['text-1'], padding: '5px 9px', boxShadow: floating, peers: { Popover: { color: c['bg-raised'], textColor: c['text-1'], fontSize: '12px' } } },
    Dialog: { color: c['bg-raised'], borderRadius: '8px', padding: '16px 20px' },
    Checkbox: { boxShadowFocus: focusRing, border: `1px solid ${c['line-control']}`, borderRadius: '3px', sizeMedium: '14px' },
    DataTable: { thPaddingMedium: '0 8px', tdPaddingMedium: '0 8px', thPaddingSmall: '0 8px', tdPaddingSmall: '0 8px', thColor: c['bg-surface'], thTextColor: c['text-3'], borderColor: c.line, tdColorHover: c['bg-hover'], thFontWeight: '500', fontSizeMedium: '12px', fontSizeSmall: '12px' },
  }
}
