import { openWorkspace } from '../../src/main/store/paths'
import { writeRuns } from './synthetic'

const [root = '', count = '10000', points = '500'] = process.argv.slice(2)
const start = performance.now()
writeRuns(openWorkspace(root), Number(count), Number(points))
console.log(`${count} runs of ${points} points written in ${((performance.now() - start) / 1000).toFixed(1)} s`)
