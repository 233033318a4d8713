// `npm test`: everything, fast things first, up to the first stage that fails. `npm test -- STAGE [FILTER...]` runs one;
// `screens`, which takes pictures of the window, runs by its name alone.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runAttached } from './command.mjs'
import { ensureBuild, ensureDependencies, ensureElectron, ensureRuntime } from './ensure.mjs'
import { SetupError, runMain, say } from './log.mjs'
import { root } from './paths.mjs'
import { ensureVirtualScreen } from './systemPackages.mjs'
import { withScreen } from './virtualScreen.mjs'

const stages = [
  { name: 'lint', needs: [], run: (filters) => tool('eslint/bin/eslint.js', filters.length ? filters : ['.']) },
  { name: 'types', needs: [], run: checkTypes },
  { name: 'unit', needs: [ensureRuntime], run: (filters) => vitest('unit', filters) },
  { name: 'build', needs: [], run: () => ensureBuild().then(() => 0) },
  { name: 'process', needs: [ensureRuntime], run: built((filters) => vitest('process', filters)) },
  { name: 'e2e', needs: [ensureRuntime, ensureElectron, ensureScreen], run: built((filters) => withScreen(() => vitest('e2e', filters))) },
  { name: 'screens', alone: true, needs: [ensureRuntime, ensureElectron, ensureScreen], run: built((filters) => withScreen(() => vitest('screens', filters))) },
]
const total = { passed: 0, failed: 0 }

await runMain(async () => {
  const [wanted, ...filters] = process.argv.slice(2)
  const chosen = wanted === undefined ? stages.filter(({ alone }) => !alone) : stages.filter(({ name }) => name === wanted)
  if (chosen.length === 0) throw new SetupError(`"${wanted}" is no stage; there are ${stages.map(({ name }) => name).join(', ')}`)
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
  await ensureDependencies()
  for (const prepare of new Set(chosen.flatMap(({ needs }) => needs))) await prepare()
  process.exitCode = await runStages(chosen, filters)
})

async function runStages(chosen, filters) {
  const durations = []
  let failed
  for (const stage of chosen) {
    say(`── ${stage.name}`)
    const start = Date.now()
    const code = await stage.run(filters)
    durations.push(`${stage.name} ${((Date.now() - start) / 1000).toFixed(1)} s`)
    if (code === 0) continue
    failed = stage.name
    break
  }
  say(durations.join(' · '))
  if (failed) say(`stage "${failed}" failed; the stages after it did not run. Alone: npm test -- ${failed}`)
  console.log(`${total.passed} passed, ${total.failed} failed`)
  return failed ? 1 : 0
}

async function checkTypes() {
  const checks = [
    ['typescript/bin/tsc', 'tsconfig.engine.json'],
    ['typescript/bin/tsc', 'tsconfig.main.json'],
    ['vue-tsc/bin/vue-tsc.js', 'tsconfig.renderer.json'],
  ]
  let worst = 0
  for (const [compiler, config] of checks) worst = Math.max(worst, await tool(compiler, ['-p', config]))
  return worst
}

/** A stage that tests what is built: alone, it builds first. */
function built(run) {
  return async (filters) => {
    await ensureBuild()
    return run(filters)
  }
}

async function vitest(project, filters) {
  const folder = mkdtempSync(join(tmpdir(), 'engram-test-'))
  const report = join(folder, 'report.json')
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    // A stage may have no tests yet; a filter that matches none is a slip.
    const selection = filters.length > 0 ? filters : ['--passWithNoTests']
    const code = await tool('vitest/vitest.mjs', ['run', '--project', project, ...reporters, ...selection])
    count(report, code)
    return code
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Adds a report to the totals; a file that broke before its first test, or vitest itself, counts as one failure. */
function count(report, code) {
  let failed = 0
  try {
    const results = JSON.parse(readFileSync(report, 'utf8'))
    const broken = results.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
    total.passed += results.numPassedTests
    failed = results.numFailedTests + broken.length
  } catch {
    // No report: vitest did not get that far, and its exit code tells.
  }
  total.failed += failed || (code === 0 ? 0 : 1)
}

function ensureScreen() {
  if (process.platform === 'linux' && !process.env.DISPLAY) return ensureVirtualScreen()
}

function tool(file, args) {
  return runAttached(process.execPath, [join(root, 'node_modules', file), ...args], { cwd: root })
}
