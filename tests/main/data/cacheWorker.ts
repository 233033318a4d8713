import { makeSplits } from '../../../src/main/engine/data/split'
import { openDataset } from '../../../src/main/store/data/open'
import { prepareData } from '../../../src/main/store/data/prepare'
import { choice, view } from './support/common'

// Prepares a dataset in a process of its own: node worker.mjs DATA CACHE. Says how far it is on standard output.
const [path, cacheDir] = process.argv.slice(2) as [string, string]
const source = await openDataset(path)
let reads = 0
const counted = { ...source, read: (sample: Parameters<typeof source.read>[0]) => (reads++, source.read(sample)) }
const data = await prepareData(counted, makeSplits(source, choice), { ...view, imageSize: 64 }, { cacheDir, limitBytes: 1e9, onProgress: ({ done }) => { process.stdout.write(`${done}\n`) } })
process.stdout.write(`ready ${data.train.size} ${reads}\n`)
await data.close()
await source.close()
