import { dark, light, shape } from './tokens'

const declare = (values: Record<string, string>) => Object.entries(values).map(([name, value]) => `--${name}: ${value};`).join(' ')

/** Puts the tokens on the page as CSS variables, for both themes at once. */
export function installTokens(): void {
  const style = document.createElement('style')
  style.textContent = [
    `:root { ${declare(shape)} }`,
    `:root, [data-theme="light"] { color-scheme: light; ${declare(light)} }`,
    `[data-theme="dark"] { color-scheme: dark; ${declare(dark)} }`,
  ].join('\n')
  document.head.prepend(style)
}
