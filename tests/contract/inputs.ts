/** By call or feed, an input that its schema takes. */
export const valid: Record<string, unknown> = {
  'runs.query': {}, 'runs.values': { field: 'train.epochs' }, 'runs.sparklines': { runs: ['run-1'] }, 'runs.label': { runs: ['run-1'], favourite: true },
  'models.add': { path: '/m' }, 'models.remove': { id: 'm' }, 'models.inspect': { path: '/m' }, 'models.tensors': { path: '/m' }, 'models.cancelTensors': { path: '/m' }, 'models.tensorsProgress': { path: '/m' }, 'datasets.add': { path: '/d' }, 'datasets.remove': { id: 'd' }, 'datasets.nameClasses': { id: 'd', names: ['tench', 'goldfish'] },
  'datasets.dropCache': { key: 'k' }, 'datasets.duplicates': { id: 'd' }, 'datasets.preview': { from: 'digits', imageSize: 32 }, 'runs.plan': {}, 'trial.run': { method: { type: 'ssf' } }, 'runs.start': { method: { type: 'ssf' } }, 'runs.stop': { run: 'run-1' }, 'runs.resume': { run: 'run-1' },
  'runs.show': { run: 'run-1' }, 'runs.compare': { runs: ['run-1', 'run-2'] }, 'runs.remove': { run: 'run-1' }, 'runs.watch': { run: 'run-1' },
  'queue.add': { recipes: [{ method: { type: 'ssf' } }] }, 'queue.move': { run: 'run-1', position: 0 }, 'queue.remove': { runs: ['run-1'] }, 'queue.sweep': { recipe: {}, sweep: { search: 'random', axes: [{ kind: 'list', field: 'seed', values: [1] }], runs: 8, eta: 2, seed: 0 } }, 'queue.ablations': { run: 'run-1' }, 'queue.pause': { lane: 'cpu', paused: true },
  'checkpoints.list': { run: 'run-1' }, 'checkpoints.remove': { run: 'run-1', step: 3 }, 'checkpoints.pin': { run: 'run-1', step: 3, pinned: true }, 'checkpoints.preview': {}, 'checkpoints.prune': { rule: {}, going: [{ run: 'run-1', step: 3 }] }, 'exports.create': { run: 'run-1', as: 'merged', out: '/o' }, 'exports.list': { run: 'run-1' },
  'engram.show': { run: 'run-1' }, 'engram.record': { run: 'run-1', step: 0 }, 'engram.compute': { run: 'run-1' },
  'runs.ask': { run: 'run-1', what: 'save' }, 'runs.restart': { run: 'run-1', checkpoint: 'best' }, 'runs.planRestart': { run: 'run-1', checkpoint: 4, recipe: {} },
  'runs.verdict': { runs: ['run-1', 'run-2'] },
  'evaluations.list': { run: 'run-1' }, 'evaluations.get': { run: 'run-1', id: 'step-000100-test-0123456789ab' }, 'evaluations.run': { run: 'run-1' }, 'evaluations.cancel': { run: 'run-1' }, 'evaluations.progress': { run: 'run-1' }, 'evaluations.predict': { run: 'run-1', files: ['/a.png'] },
  'hub.search': { query: 'vit' }, 'hub.info': { id: 'o/n' }, 'hub.download': { id: 'o/n' }, 'hub.pause': { id: 'o/n' }, 'hub.cancel': { id: 'o/n' }, 'hub.setToken': { token: 'hf_x' },
  'settings.set': { theme: 'dark' }, 'system.chooseFolder': { title: 't' }, 'system.chooseFile': { title: 't', extensions: [] }, 'system.reveal': { path: '/p' },
}
