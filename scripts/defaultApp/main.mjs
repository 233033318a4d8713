// What Electron's own default app does with `electron FOLDER`: the distribution this is copied into has none.
// A module, so that Electron is not ready before the application has been loaded.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { app } from 'electron'

const folder = path.resolve(process.argv.slice(1).find((argument) => !argument.startsWith('-')) ?? '.')
try {
  const settings = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  app.setAppPath(folder)
  app.setName(settings.productName ?? settings.name)
  app.setVersion(settings.version)
  await import(pathToFileURL(path.join(folder, settings.main ?? 'index.js')).href)
} catch (error) {
  console.error(error)
  app.exit(1)
}
