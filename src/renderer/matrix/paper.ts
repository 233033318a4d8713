import { lastPart } from '../lib/path'

/** What the paper reports, to stand beside local results: other hardware, ViT-B/16 pretrained on ImageNet-21k, one number per cell. */
export const paperSource = 'arXiv 2409.06706, Tables 1 and 7, ViT-B/16'

interface PaperDataset { title: string; names: readonly string[]; accuracy: Readonly<Record<string, number>> }

/** By method row, in per cent. Only SSF and SAN + SSF are told for each of the VTAB and FGVC sets here. */
const pair = (title: string, names: readonly string[], ssf: number, san: number): PaperDataset => ({ title, names, accuracy: { ssf, 'ssf san': san } })
const vtab = (title: string, name: string, ssf: number, san: number) => pair(`${title} (VTAB)`, [`vtab-${name}`, `${name}-1k`, `vtab-1k-${name}`], ssf, san)

export const paperDatasets: readonly PaperDataset[] = [
  { title: 'CIFAR-100', names: ['cifar-100', 'cifar100'], accuracy: { full: 93.8, 'linear-probe': 88.7, bitfit: 93.4, ssf: 94.0, 'ssf san': 94.2, 'lora 8': 93.8, 'lora 16': 93.5 } },
  { title: 'ImageNet-1k', names: ['imagenet', 'imagenet-1k'], accuracy: { full: 83.6, 'linear-probe': 82.0, bitfit: 82.7, ssf: 83.1, 'ssf san': 83.8, 'lora 8': 82.6, 'lora 16': 82.4 } },
  pair('CUB-200', ['cub', 'cub-200', 'cub-200-2011'], 89.5, 90.6), pair('NABirds', ['nabirds'], 85.7, 86.3), pair('Oxford Flowers', ['oxford-flowers', 'flowers102', 'flowers-102'], 99.6, 99.7),
  pair('Stanford Dogs', ['stanford-dogs', 'dogs'], 89.6, 91.1), pair('Stanford Cars', ['stanford-cars', 'cars'], 89.2, 90.4),
  vtab('CIFAR-100', 'cifar', 69.0, 74.3), vtab('Caltech101', 'caltech101', 92.6, 93.8), vtab('Flowers', 'flowers', 99.4, 99.7), vtab('Pets', 'pets', 91.8, 93.0), vtab('DTD', 'dtd', 75.1, 76.4),
  vtab('Sun397', 'sun397', 52.9, 53.4), vtab('SVHN', 'svhn', 90.2, 91.8), vtab('EuroSAT', 'eurosat', 95.9, 97.7), vtab('Patch Camelyon', 'pcam', 87.4, 88.1), vtab('Retinopathy', 'retinopathy', 75.5, 78.1),
  vtab('Resisc45', 'resisc45', 87.4, 90.6), vtab('Clevr count', 'clevr-count', 75.9, 82.4), vtab('Clevr distance', 'clevr-dist', 62.3, 61.4), vtab('dSprites location', 'dsprites-loc', 77.3, 81.7),
  vtab('dSprites orientation', 'dsprites-ori', 54.9, 55.2), vtab('SmallNORB azimuth', 'smallnorb-azi', 29.5, 30.3), vtab('SmallNORB elevation', 'smallnorb-ele', 37.9, 40.4), vtab('DMLab', 'dmlab', 53.3, 54.5), vtab('KITTI', 'kitti', 80.6, 82.1),
]

const plainName = (text: string) => lastPart(text).replace(/\.(zip|parquet|txt|csv)$/i, '').toLowerCase().replace(/[^a-z0-9]+/g, '-')

/** A dataset counts as one of the paper's only by its whole name: near names are other data. */
export const paperDataset = (name: string): PaperDataset | undefined => paperDatasets.find(({ names }) => names.includes(plainName(name)))
