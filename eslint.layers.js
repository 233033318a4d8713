// Who may import whom (DESIGN.md), as one table and one rule. A file belongs to the most specific folder listed.

import { dirname, relative, resolve } from 'node:path'

const MAIN = 'src/main'
const WINDOW_LIBRARIES = ['vue', 'vue-router', 'pinia', 'naive-ui', 'echarts', '@lucide/vue', '@fontsource-variable', 'zod']
// Errors are the one thing of the contract that the engine makes rather than describes.
const ENGINE = ['type:contract', 'contract/errors', 'npm:zod']
const STORE = ['contract', 'engine/data', 'type:engine/io', 'node', 'npm:zod']

/**
 * folder -> what its files may import: folders below src/main (`type:` for types alone), `node` for Node's own modules,
 * and npm packages by name. Each folder may import itself.
 */
const layers = {
  [`${MAIN}/contract`]: ['npm:zod'],
  [`${MAIN}/engine`]: ENGINE,
  [`${MAIN}/engine/tf.ts`]: [...ENGINE, 'npm:@tensorflow/tfjs'],
  // Where the methods' own settings join the contract's document.
  [`${MAIN}/engine/recipe.ts`]: [...ENGINE, 'engine', 'contract'],
  [`${MAIN}/engine/io`]: [...ENGINE, 'engine', 'npm:fflate'],
  [`${MAIN}/store`]: [...STORE, 'npm:libsql'],
  [`${MAIN}/store/data`]: [...STORE, 'store', 'npm:@napi-rs/image', 'npm:hyparquet', 'npm:yauzl'],
  [`${MAIN}/worker`]: ['engine', 'contract', 'store', 'node', 'npm:zod', 'npm:@tensorflow/tfjs-node-gpu'],
  [`${MAIN}/services`]: ['store', 'engine', 'worker/host', 'type:worker', 'contract', 'node', 'npm:zod'],
  [`${MAIN}/services/hub`]: ['services', 'store', 'engine/io', 'contract', 'node', 'npm:zod', 'npm:@huggingface/hub'],
  [`${MAIN}/ipc`]: ['contract', 'services', 'npm:zod', 'npm:electron'],
  [`${MAIN}/cli`]: ['services', 'contract', 'store', 'node', 'npm:zod'],
  [`${MAIN}/preload.ts`]: ['contract', 'npm:electron'],
  'src/renderer': ['contract', ...WINDOW_LIBRARIES.map((name) => `npm:${name}`)],
}

const within = (path, folder) => path === folder || path.startsWith(`${folder}/`)

function layerOf(file) {
  const folders = Object.keys(layers).filter((folder) => within(file, folder))
  return folders.sort((a, b) => b.length - a.length)[0]
}

/** A module's path from the root without its extension, or `node`, or `npm:package`. */
function targetOf(specifier, file) {
  if (specifier.startsWith('.')) return relative('.', resolve(dirname(file), specifier)).replace(/\.(ts|js|vue)$/, '')
  if (within(specifier, '@contract')) return specifier.replace('@contract', `${MAIN}/contract`)
  if (specifier.startsWith('node:')) return 'node'
  return `npm:${specifier}`
}

function allows(permission, target, isType) {
  if (permission === 'node') return target === 'node'
  if (permission.startsWith('npm:')) return within(target, permission)
  if (permission.startsWith('type:')) return isType && within(target, `${MAIN}/${permission.slice(5)}`)
  return within(target, `${MAIN}/${permission}`)
}

function check(context, node, isType) {
  const specifier = node.source?.value
  const file = relative(context.cwd, context.filename)
  const layer = layerOf(file)
  if (typeof specifier !== 'string' || !layer) return
  const target = targetOf(specifier, file)
  const own = layer.replace(/\.ts$/, '')
  if (within(target, own) || layers[layer].some((permission) => allows(permission, target, isType))) return
  context.report({ node, message: `${layer} may not import ${specifier} (DESIGN.md, who may import whom; eslint.layers.js).` })
}

/** `import type ...`, or every name in the braces marked as a type. */
function importsTypes(node) {
  const kind = node.importKind ?? node.exportKind
  return kind === 'type' || (node.specifiers?.length > 0 && node.specifiers.every((one) => one.importKind === 'type'))
}

export const layersRule = {
  meta: { type: 'problem', schema: [] },
  create: (context) => ({
    ImportDeclaration: (node) => check(context, node, importsTypes(node)),
    ExportNamedDeclaration: (node) => check(context, node, importsTypes(node)),
    ExportAllDeclaration: (node) => check(context, node, importsTypes(node)),
    ImportExpression: (node) => check(context, node, false),
    TSImportType: (node) => check(context, node, true),
  }),
}
