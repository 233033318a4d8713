// node tests/screens/keep.mjs FOLDER: of the pictures that `npm test -- screens` left there, keeps a few, small, in docs/screens.
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Transformer } from '@napi-rs/image'

const kept = {
  'run-light': 'live-light-1440', 'new-run-light': 'new-light-1440', 'runs-dark': 'runs-tray-dark-1440', 'engram-light': 'run-engram-light-1440', 'evaluation-dark': 'run-evaluation-dark-1440',
  'compare-light': 'compare-light-1440', 'queue-light': 'queue-light-1440', 'matrix-light': 'matrix-light-1440', 'run-small-dark': 'run-dark-1024',
}
const QUALITY = 60
const [folder] = process.argv.slice(2)
if (!folder) throw new Error('name the folder with the pictures')
for (const [name, from] of Object.entries(kept)) {
  const picture = await new Transformer(readFileSync(join(folder, `${from}.png`))).webp(QUALITY)
  writeFileSync(resolve(import.meta.dirname, '../../docs/screens', `${name}.webp`), picture)
  console.log(`${name}.webp ${Math.round(picture.length / 1000)} kB`)
}
