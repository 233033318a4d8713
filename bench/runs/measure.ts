// The Runs table's work on a workspace: opening it with and without its index, the feed's turn, searches; and what memory it takes.
import { rmSync } from 'node:fs'
import { RunQuery } from '../../src/main/contract/runQuery'
import { openWorkspace } from '../../src/main/store/paths'
import { openRunStore } from '../../src/main/store/runStore'

const workspace = openWorkspace(process.argv[2] ?? '')
const megabytes = () => { globalThis.gc?.(); return process.memoryUsage().rss / 1e6 }
function timed<T>(what: string, work: () => T): T {
  const [start, busy] = [performance.now(), process.cpuUsage()]
  const result = work()
  const cpu = process.cpuUsage(busy)
  console.log(`${what}: ${(performance.now() - start).toFixed(0)} ms (${((cpu.user + cpu.system) / 1000).toFixed(0)} ms of processor)`)
  return result
}
const query = (input: object) => RunQuery.parse(input)

if (process.argv[3] === '--rebuild') {
  for (const suffix of ['', '-wal', '-shm']) rmSync(workspace.index + suffix, { force: true })
  const store = openRunStore(workspace)
  const turns: number[] = []
  timed('index rebuilt, in turns of 40 ms', () => {
    for (let more = true; more;) {
      const start = performance.now()
      more = store.refresh(40, 1000)
      turns.push(performance.now() - start)
    }
  })
  console.log(`longest turn ${Math.max(...turns).toFixed(0)} ms of ${turns.length}`)
  store.close()
}

const before = megabytes()
const store = openRunStore(workspace)
const cards = timed('list with a fresh index', () => { store.refresh(300, Infinity); return store.changesSince(0).cards })
console.log(`${cards.length} runs, ${(JSON.stringify(cards).length / 1e6).toFixed(1)} MB to the window, ${(megabytes() - before).toFixed(0)} MB of memory`)
for (let i = 0; i < 3; i++) timed('turn of the feed', () => store.refresh(40, 1000))
timed('all, newest first', () => store.query(query({})))
for (const words of ['e', 'eurosat', 'eurosat san', 'pets lora 812', 'nothing at all']) console.log(`  ${timed(`search "${words}"`, () => store.query(query({ words }))).total} runs`)
timed('filter by method.rank and train.learningRate', () => store.query(query({ filters: [{ field: 'method.rank', values: [8] }, { field: 'train.learningRate', values: [0.005, 0.01] }] })))
timed('group by train.learningRate, best first', () => store.query(query({ groupBy: 'train.learningRate', sort: { field: 'best', down: true } })))
timed('values of method.rank', () => store.values('method.rank'))
timed('sparklines of 40 rows', () => store.sparklines(cards.slice(0, 40).map(({ id }) => id)))
store.close()
