import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { commands, runCommandLine } from '../../src/main/cli/run'
import { createServices } from '../../src/main/services/index'
import { openEventLog } from '../../src/main/store/eventLog'
import { openWorkspace } from '../../src/main/store/paths'
import { openRunStore } from '../../src/main/store/runStore'
import { draftOf, ending, evaluatedAt, started, stepAt, temporaryFolder } from './fixtures'

const MODEL = resolve('tests/fixtures/reference/timm-vit-cls/model')

/** A command line in this process, on a workspace of its own; training would need a fork, and there is none. */
function bench() {
  const folder = temporaryFolder()
  const resources = join(folder, 'resources')
  mkdirSync(join(resources, 'recipes'), { recursive: true })
  writeFileSync(join(resources, 'recipes', 'quickstart.json'), JSON.stringify({ name: 'Quick', backbone: { from: MODEL }, data: { from: 'digits' }, method: { type: 'ssf', san: {} } }))
  mkdirSync(join(resources, 'samples/data/digits/train/a'), { recursive: true })
  mkdirSync(join(resources, 'samples/data/digits/train/b'), { recursive: true })
  for (const name of ['a/1', 'a/2', 'b/1', 'b/2']) writeFileSync(join(resources, `samples/data/digits/train/${name}.png`), '')
  const workspace = join(folder, 'workspace')
  let opened = 0
  const run = async (...args: string[]) => {
    let stdout = ''
    let stderr = ''
    const code = await runCommandLine(args, {
      stdout: { write: (text: string) => { stdout += text } }, stderr: { write: (text: string) => { stderr += text } }, version: '1.2.3', signal: new AbortController().signal,
      open: chosen => {
        opened++
        return createServices({ workspace: chosen ?? workspace, resources, version: '1.2.3', fork: () => { throw new Error('no trainer in this test') } })
      },
    })
    return { code, stdout, stderr }
  }
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  return { folder, workspace, run, file, opened: () => opened }
}

const recipe = (change: Record<string, unknown> = {}) => JSON.stringify({ backbone: { from: MODEL }, data: { from: 'digits' }, method: { type: 'ssf' }, ...change })

describe('wrong input is one line on standard error and code 2', () => {
  const lines: [string, string[], RegExp][] = [
    ['no command', [], /a command is missing/],
    ['an unknown command', ['trian'], /did you mean "train"\?/],
    ['an unknown command far from all', ['zzzzzz'], /one of doctor, catalog/],
    ['an option, but no command', ['--json', '--workspace', 'x'], /a command is missing/],
    ['help for an unknown command', ['help', 'trian'], /did you mean "train"\?/],
    ['an unknown option', ['plan', 'quickstart', '--jsn'], /unknown option --jsn; did you mean --json\?/],
    ['an unknown short option', ['plan', 'quickstart', '-x'], /unknown option -x/],
    ['a prototype as option', ['plan', 'quickstart', '--constructor'], /unknown option --constructor/],
    ['an option without its value', ['train', '--resume'], /--resume needs a value/],
    ['an option whose value is an option', ['evaluate', '--run', '--json'], /--run needs a value/],
    ['a switch with a value', ['plan', 'quickstart', '--json=yes'], /--json takes no value/],
    ['a missing word', ['plan'], /usage: engram plan RECIPE/],
    ['one word too many', ['inspect', 'a', 'b'], /"b" is one word too many/],
    ['a missing option', ['evaluate'], /--run RUN is missing/],
    ['an unknown list', ['catalog', 'method'], /did you mean "methods"\?/],
    ['a list of the prototype', ['catalog', 'constructor'], /there is no list "constructor"/],
    ['an unknown action', ['runs', 'lst'], /did you mean "list"\?/],
    ['one run to compare', ['runs', 'compare', 'a'], /usage: engram runs compare RUN RUN/],
    ['an unknown action on checkpoints', ['checkpoints', 'purne'], /did you mean "prune"\?/],
    ['a spacing that is no number', ['checkpoints', 'prune', '--every', '0'], /--every is "0"; it is a number of steps/],
    ['a budget that is no size', ['checkpoints', 'prune', '--budget', 'lots'], /--budget is "lots"; it is a size such as 500MB or 20GB/],
    ['a pin without its step', ['checkpoints', 'pin', 'nope', 'best'], /"best" is no step/],
    ['an unknown recipe', ['plan', 'quickstrat'], /did you mean "quickstart"\?/i],
    ['an unknown run', ['runs', 'show', 'nope'], /no run nope/],
    ['a run outside the workspace', ['runs', 'show', '../../etc'], /no run \.\.\/\.\.\/etc/],
    ['a wrong checkpoint', ['evaluate', '--run', 'nope', '--checkpoint', 'first'], /--checkpoint is "first"; it can be best, last or the number of a step/],
    ['a wrong kind of export', ['export', '--run', 'nope', '--as', 'onnx', '--out', 'x'], /--as is "onnx"; it can be merged or adapter/],
    ['both run and model', ['predict', '--run', 'a', '--model', 'b', 'c.png'], /either --run or --model/],
    ['an image that is not there', ['predict', '--model', MODEL, '/nowhere/x.png'], /\/nowhere\/x\.png does not exist/],
    ['an input that is not there', ['logits', '--model', MODEL, '--input', '/nowhere/x', '--output', '/tmp/y'], /\/nowhere\/x does not exist; --input needs/],
    ['a missing model', ['inspect', '/nowhere'], /\/nowhere does not exist/],
    ['a file that is no model', ['inspect', resolve('package.json')], /package\.json/],
    ['a folder as result', ['logits', '--model', MODEL, '--input', 'x', '--output', '/tmp'], /\/tmp is a folder; --output needs the name of a file/],
    ['a result in no folder', ['logits', '--model', MODEL, '--input', 'x', '--output', '/nowhere/deep/y'], /There is no folder \/nowhere\/deep for --output/],
    ['a result below a file', ['logits', '--model', MODEL, '--input', 'x', '--output', resolve('package.json/y')], /There is no folder .*package\.json for --output/],
    ['no recipe', ['train'], /a recipe is missing/],
    ['a checkpoint of no run', ['train', 'quickstart', '--checkpoint', 'last'], /--checkpoint says which checkpoint of --from to begin with; add --from RUN/],
    ['a run to begin from and one to resume', ['train', '--from', 'a', '--resume', 'b'], /--from begins a new run and --resume goes on with one/],
    ['a wrong checkpoint to begin from', ['train', '--from', 'nope', '--checkpoint', 'first'], /--checkpoint is "first"; it can be best, last/],
    ['an unknown run to begin from', ['train', '--from', 'nope'], /no run nope/],
    ['an unknown run to resume', ['train', '--resume', 'nope'], /no run nope/],
  ]
  it.each(lines)('%s', async (_, args, words) => {
    const { code, stdout, stderr } = await bench().run(...args)
    expect(stderr).toMatch(words)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(stderr).toMatch(/^engram: /)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  const recipes: [string, string, RegExp][] = [
    ['not JSON', '{\n  "name": "x",\n  backbone: 1\n}', /r\.json: line 3, column 3: expected a name in double quotes, found "b"/],
    ['cut short', '{ "name": "x"', /line 1, column 14: expected "," or "}", found the end of the file/],
    ['an empty file', '', /line 1, column 1: expected a value, found the end of the file/],
    ['a trailing comma', '{ "seed": 1, }', /line 1, column 14: expected a name in double quotes, found "}"/],
    ['a comment', '// x\n{}', /line 1, column 1: expected a value, found "\/"/],
    ['a bad escape', '{ "name": "\\x" }', /line 1, column 12: expected a valid escape/],
    ['a line break in a text', '{ "name": "a\nb" }', /line 1, column 13: expected the end of the text/],
    ['something after the end', '{} {}', /line 1, column 4: expected the end of the file, found "{"/],
    ['a bad number', '{ "seed": 01 }', /line 1, column 11: expected a value/],
    ['a list', '[]', /a recipe is a JSON object/],
    ['null', 'null', /a recipe is a JSON object/],
    ['deep and cut short', '['.repeat(200_000), /r\.json is nested too deeply to be read, and no valid JSON/],
    ['deep where a text belongs', recipe().slice(0, -1) + `,"name":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, /name: must be a text/],
    ['deep in SAN', recipe().replace('"type":"ssf"', `"type":"ssf","san":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`), /"a" is not a known name/],
    ['deep in the method', recipe().replace('"type":"ssf"', `"type":"ssf","norms":${'['.repeat(20_000)}${']'.repeat(20_000)}`), /norms: must be one of/],
    ['of another encoding', String.fromCharCode(0xfffd, 0xfffd, 0x7b), /line 1, column 1: expected a value/],
    ['of many letters', recipe({ name: 'x'.repeat(100_000) }), /name: too big: expected string to have <=120 characters/],
    ['of a prototype', recipe().slice(0, -1) + ',"__proto__":{"seed":5}}', /"__proto__" is not a known name|is not a known name/],
    ['one of two methods', recipe({ method: [] }), /method: must be an object/],
    ['without a type', recipe({ method: {} }), /method\.type: must be a text/],
    ['a method of the prototype', recipe({ method: { type: 'constructor' } }), /method\.type/],
    ['a huge seed', recipe().slice(0, -1) + ',"seed":99999999999999999999}', /seed: /],
    ['too large a number', recipe().slice(0, -1) + ',"train":{"learningRate":1e999}}', /train\.learningRate: must be a number/],
    ['a rank of zero', recipe({ method: { type: 'lora', rank: 0 } }), /method\.rank/],
    ['a list for SAN', recipe({ method: { type: 'ssf', san: [] } }), /method\.san: must be an object/],
    ['an unknown preset', recipe({ method: { type: 'ssf', san: { preset: 'paper' } } }), /method\.san\.preset: must be one of/],
    ['an unknown field', recipe({ trian: {} }), /"trian" is not a known name; did you mean "train"\?/],
    ['an unknown inner field', recipe({ train: { epoch: 3 } }), /train\.epoch.*did you mean "epochs"\?/],
    ['an unknown field of the method', recipe({ method: { type: 'lora', rnk: 4 } }), /method.*rnk.*did you mean "rank"\?/],
    ['an unknown field of SAN', recipe({ method: { type: 'ssf', san: { presett: 1 } } }), /did you mean "preset"\?/],
    ['an unknown method', recipe({ method: { type: 'lorra' } }), /did you mean "lora"\?/],
    ['a wrong type', recipe({ train: { epochs: 'ten' } }), /train\.epochs/],
    ['a text for a number', recipe({ train: { batchSize: '4' } }), /train\.batchSize: must be a number\.$/m],
    ['a part of a whole number', recipe({ train: { epochs: 0.5 } }), /train\.epochs: must be a whole number\.$/m],
    ['nothing for a part', recipe({ train: null }), /train: must be an object\.$/m],
    ['none of two forms', recipe({ evaluate: { every: [] } }), /evaluate\.every: must be "epoch" or a number\.$/m],
    ['one of two forms with a wrong part', recipe({ data: { from: 'digits', normalize: { mean: ['a', 0, 0], std: [1, 1, 1] } } }), /data\.normalize: mean\.0: must be a number\.$/m],
    ['no name of a list', recipe({ train: { augment: 'none?' } }), /train\.augment: must be one of "none", "flip", "crop", "crop\+flip"\.$/m],
    ['a part of an image to hold out', recipe({ data: { from: 'digits', split: { validation: 1.5 } } }), /data\.split\.validation: from 1 on it is a count/],
    ['a number out of range', recipe({ train: { epochs: 0 } }), /train\.epochs/],
    ['no backbone', JSON.stringify({ data: { from: 'digits' }, method: { type: 'ssf' } }), /backbone/],
    ['an unknown backbone', recipe({ backbone: { from: 'nowhere' } }), /backbone\.from: "nowhere" is neither a known backbone nor a path/],
    ['an unknown dataset', recipe({ data: { from: 'digit' } }), /data\.from.*did you mean "digits"\?/],
  ]
  it.each(recipes)('a recipe that is %s', async (_, text, words) => {
    const { run, file } = bench()
    for (const command of ['plan', 'train']) {
      const { code, stdout, stderr } = await run(command, file('r.json', text), '--json')
      expect(stderr).toMatch(words)
      expect(stderr.trimEnd().split('\n')).toHaveLength(1)
      expect(stdout).toBe('')
      expect(code).toBe(2)
    }
  })

  it('common options may stand anywhere', async () => {
    const { run, folder } = bench(), elsewhere = join(folder, 'elsewhere')
    const behind = await run('runs', 'list', '--json', '--workspace', elsewhere)
    expect(behind.stdout).toBe('[]\n')
    for (const args of [['--workspace', elsewhere, '--json', 'runs', 'list'], [`--workspace=${elsewhere}`, 'runs', '--json', 'list'], ['--json', 'runs', '--workspace', elsewhere, 'list']]) expect(await run(...args)).toEqual(behind)
    expect(readdirSync(elsewhere)).toContain('runs')
  })

  it('makes no run and opens no workspace for a wrong command line', async () => {
    const { run, workspace, file, opened } = bench()
    await run('plan', '--nope')
    expect(opened()).toBe(0)
    await run('train', file('r.json', recipe({ train: { epochs: 0 } })))
    expect(readdirSync(join(workspace, 'runs'))).toEqual([])
  })
})

describe('answers', () => {
  it('print one JSON document and nothing else', async () => {
    const { run } = bench()
    const model = await run('inspect', MODEL, '--json')
    expect(JSON.parse(model.stdout)).toMatchObject({ format: 'timm', shape: { family: 'vit', width: 32 } })
    for (const list of ['methods', 'backbones', 'datasets', 'recipes']) {
      const { code, stdout, stderr } = await run('catalog', list, '--json')
      expect([code, stderr]).toEqual([0, ''])
      JSON.parse(stdout)
    }
    const plan = JSON.parse((await run('plan', 'quickstart', '--json')).stdout)
    expect(plan.trainable.total).toBe(plan.trainable.head + plan.trainable.method)
    const counted = plan.trainable.sites.flatMap((site: { tensors: { count: number }[] }) => site.tensors).reduce((sum: number, { count }: { count: number }) => sum + count, 0)
    expect(counted).toBe(plan.trainable.total)
    expect(plan.trainable.sites[0].tensors[0]).toMatchObject({ name: expect.any(String), shape: expect.any(Array), count: expect.any(Number) })
  })

  it('print tables for people', async () => {
    const { run } = bench()
    expect((await run('catalog', 'methods')).stdout).toMatch(/^ID +SAN +RATE/)
    expect((await run('inspect', MODEL)).stdout).toMatch(/Parameters +\d/)
    expect((await run('plan', 'quickstart')).stdout).toMatch(/Trainable +[\d,]+ \(method/)
    expect((await run('--version')).stdout).toBe('engram 1.2.3\n')
    for (const { name, usage } of commands) expect((await run(name, '--help')).stdout).toContain(`engram ${usage}`)
    expect((await run('--help')).stdout).toContain('engram train RECIPE')
  })

  it('list, show, compare and remove runs', async () => {
    const { run, workspace } = bench()
    const store = openRunStore(openWorkspace(workspace))
    const made = ['one', 'two'].map(name => {
      const { folder, manifest } = store.create({ ...draftOf(name), recipe: { ...draftOf(name).recipe, seed: name.length } })
      const log = openEventLog(folder)
      for (const event of [started(), stepAt(1), evaluatedAt(1, 0.5, true), ending('finished', 1)]) log.append(event)
      log.close()
      return manifest.id
    })
    store.close()
    expect(JSON.parse((await run('runs', 'list', '--json')).stdout)).toHaveLength(2)
    expect((await run('runs', 'list')).stdout).toMatch(/one-.* finished +ssf/)
    expect(JSON.parse((await run('runs', 'show', made[0]!, '--json')).stdout)).toMatchObject({ card: { id: made[0], status: 'finished' } })
    expect((await run('runs', 'show', made[0]!)).stdout).toMatch(/Status +finished/)
    expect(JSON.parse((await run('runs', 'compare', ...made, '--json')).stdout).differences).toEqual([])
    expect(await run('runs', 'compare', ...made, made[0]!)).toMatchObject({ code: 2, stderr: expect.stringMatching(/is named twice/) })
    expect((await run('train', '--resume', made[0]!)).stderr).toMatch(/is finished; only a stopped, interrupted or failed run can go on/)
    expect((await run('runs', 'remove', made[0]!)).code).toBe(0)
    expect(JSON.parse((await run('runs', 'list', '--json')).stdout)).toHaveLength(1)
    expect((await run('runs', 'remove', made[0]!)).code).toBe(2)
  })

  it('a workspace that cannot be written is told in one line with code 1', async () => {
    const { run, file } = bench()
    const { code, stderr } = await run('runs', 'list', '--workspace', join(file('plain', ''), 'inside'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/^engram: Could not make the workspace .*a file stands where a folder is needed/)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  it.skipIf(process.getuid?.() === 0)('a workspace without permission is told in one line', async () => {
    const { run, folder } = bench()
    mkdirSync(join(folder, 'locked'))
    chmodSync(join(folder, 'locked'), 0o500)
    expect((await run('runs', 'list', '--workspace', join(folder, 'locked/w'))).stderr).toMatch(/no permission/)
  })
})
