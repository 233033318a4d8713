// Plays a run at a pace until its input ends: a run's folder, its lock and its events, as a trainer makes them.
import { openWorkspace } from '../../src/main/store/paths'
import { playRun } from './synthetic'

const [root = '', stepsASecond = '20'] = process.argv.slice(2)
const { stop } = playRun(openWorkspace(root), Number(stepsASecond))
process.stdin.on('end', stop).resume()
