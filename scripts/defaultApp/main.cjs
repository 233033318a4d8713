// What Electron's own default app does with `electron FOLDER`: the distribution this is copied into has none.
const { app } = require('electron')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { pathToFileURL } = require('node:url')

async function open(folder) {
  const settings = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  app.setAppPath(folder)
  app.setName(settings.productName ?? settings.name)
  app.setVersion(settings.version)
  await import(pathToFileURL(path.join(folder, settings.main ?? 'index.js')).href)
}

const folder = process.argv.slice(1).find((argument) => !argument.startsWith('-'))
open(path.resolve(folder ?? '.')).catch((error) => {
  console.error(error)
  app.exit(1)
})
