import { count, invalid } from './failures'
import { byCodePoint, isImageName, isLitter, READABLE, splitOf } from './names'
import type { SplitName } from './types'

/** Paths inside a folder or archive, `/` between the parts, in any order. */
export interface Listing { readonly files: readonly string[]; readonly folders: readonly string[] }
export interface Labelled { readonly split: SplitName; readonly file: string; readonly label: string }
export interface Layout { readonly samples: Labelled[]; readonly emptyClasses: string[]; readonly notices: string[] }

/** Reads splits and classes from where images lie: `class/file`, or `split/class/file`, both also under one common folder. */
export function layOut(listing: Listing, where: string): Layout {
  const seen = (path: string) => !path.split('/').some(isLitter)
  const files = listing.files.filter(seen)
  const images = files.filter(isImageName).sort(byCodePoint)
  if (images.length === 0) throw noImages(files, where)
  const base = commonFolder(images)
  const inside = images.filter(file => file.startsWith(base))
  const parts = (path: string) => path.slice(base.length).split('/')
  const split = hasSplits(inside.map(parts))
  const result: Layout = { samples: [], emptyClasses: [], notices: [] }
  let loose = 0
  let outside = 0
  for (const file of inside) {
    const path = parts(file)
    const splitName = split ? splitOf(path[0]!) : 'train'
    const label = path[split ? 1 : 0]!
    if (!splitName) outside++
    else if (path.length < (split ? 3 : 2)) loose++
    else result.samples.push({ split: splitName, file, label })
  }
  if (result.samples.length === 0) {
    throw invalid(`${where} holds ${count(images.length, 'image')} but no class folders: put the images of each class into a folder with the name of the class.`)
  }
  const folders = listing.folders.filter(folder => folder.startsWith(base) && seen(folder)).map(parts)
  result.emptyClasses.push(...emptyClasses(folders, result.samples, split))
  if (loose > 0) result.notices.push(`${count(loose, 'image')} outside a class folder ${loose === 1 ? 'is' : 'are'} left out.`)
  if (outside > 0) result.notices.push(`${count(outside, 'image')} outside train, validation and test ${outside === 1 ? 'is' : 'are'} left out.`)
  const other = files.filter(file => !isImageName(file) && file.slice(base.length).split('/').length > (split ? 2 : 1)).length
  if (other > 0) result.notices.push(`${count(other, 'file')} in class folders ${other === 1 ? 'is' : 'are'} not ${READABLE} and left out.`)
  return result
}

function noImages(files: readonly string[], where: string): Error {
  const other = files.length > 0 ? ` among its ${count(files.length, 'file')}` : ''
  return invalid(`${where} holds no ${READABLE} image${other}: choose a folder, zip, parquet, idx or list file with labelled images.`)
}

/** The folder that all images lie in, as long as class folders remain below it. */
function commonFolder(images: readonly string[]): string {
  let base = ''
  for (let depth = 0; depth < 4; depth++) {
    const rests = images.map(file => file.slice(base.length).split('/'))
    const top = rests[0]![0]!
    if (splitOf(top) || !rests.every(parts => parts.length >= 3 && parts[0] === top)) return base
    base += `${top}/`
  }
  return base
}

function hasSplits(paths: readonly string[][]): boolean {
  const deep = paths.filter(path => path.length >= 3)
  return deep.some(path => splitOf(path[0]!) === 'train') || (deep.length > 0 && paths.every(path => splitOf(path[0]!) !== undefined))
}

function emptyClasses(folders: readonly string[][], samples: readonly Labelled[], split: boolean): string[] {
  const filled = new Set(samples.map(sample => sample.label))
  const named = folders.flatMap(parts => {
    const name = split ? parts[1] : parts[0]
    return name && (!split || splitOf(parts[0]!)) ? [name] : []
  })
  return [...new Set(named)].filter(name => !filled.has(name)).sort(byCodePoint)
}
