import { homedir, hostname, userInfo } from 'node:os'

/** A private text, and the word that stands for it. */
export interface Mask { text: string; word: string }

const SHORTEST = 3
const wholePath = /(?<![\w.\]])(?:[A-Za-z]:\\\\?|\\\\|\/|~\/)(?:[^\s"'`,;:()<>|]+)/g
const imageFile = /[^\s"'`,;:()<>|]+\.(?:png|jpe?g|gif|bmp|webp|tiff?|zip|parquet|npz|safetensors)\b/gi

/** Text without places or names: known ones by the words given, the person's and the machine's, then whatever else looks like a path. */
export function redact(text: string, masks: readonly Mask[]): string {
  const all = [...masks, { text: homedir(), word: '[home]' }, { text: userInfo().username, word: '[user]' }, { text: hostname(), word: '[machine]' }]
    .flatMap(mask => [mask, { ...mask, text: JSON.stringify(mask.text).slice(1, -1) }])
    .filter(({ text: own }) => own.length >= SHORTEST)
    .sort((a, b) => b.text.length - a.text.length)
  return all.reduce((sofar, mask) => replaceWord(sofar, mask), text).replace(wholePath, '[path]').replace(imageFile, '[file]')
}

/** A name inside another word is another word: the user "ada" is not in "adam". */
function replaceWord(text: string, { text: own, word }: Mask): string {
  if (!text.includes(own)) return text
  const escaped = own.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return text.replace(new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'gu'), word)
}
