import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { request } from './download.mjs'
import { SetupError } from './log.mjs'

const DEFAULT_INDEX = 'https://pypi.org/simple'

/** Where the configured Python package indexes keep a wheel. For machines without pip. */
export async function findInIndex(wheel) {
  const problems = []
  for (const index of configuredIndexes()) {
    const { url, headers } = withoutCredentials(`${index.replace(/\/+$/, '')}/${wheel.name}/`)
    try {
      const link = await findOnPage(url, headers, wheel.file)
      if (link) return { url: link, headers: new URL(link).origin === new URL(url).origin ? headers : {} }
      problems.push(`${url} does not list ${wheel.file}`)
    } catch (error) {
      problems.push(error.message)
    }
  }
  throw new SetupError(problems.join('; '))
}

/** PyPI's simple index answers in JSON, mirrors often only in HTML. */
async function findOnPage(url, headers, file) {
  const accept = 'application/vnd.pypi.simple.v1+json, text/html;q=0.5'
  const response = await request(url, { headers: { ...headers, accept } })
  const text = await response.text()
  const links = response.headers.get('content-type')?.includes('json')
    ? JSON.parse(text).files.map((entry) => entry.url)
    : [...text.matchAll(/href\s*=\s*["']([^"']+)["']/gi)].map((match) => match[1].replaceAll('&amp;', '&'))
  const link = links.find((candidate) => decodeURIComponent(new URL(candidate, url).pathname).endsWith(`/${file}`))
  return link && new URL(link, response.url).href.replace(/#.*/, '')
}

/** The indexes that pip would ask, in its order: environment, then its configuration files. */
export function configuredIndexes(environment = process.env) {
  const files = pipConfigFiles(environment).filter((file) => existsSync(file))
  const settings = Object.assign({}, ...files.map((file) => parsePipConfig(readFileSync(file, 'utf8'))))
  const main = environment.PIP_INDEX_URL || settings['index-url'] || DEFAULT_INDEX
  const extra = environment.PIP_EXTRA_INDEX_URL || settings['extra-index-url'] || ''
  return [main, ...extra.split(/\s+/)].filter((url) => /^https?:/.test(url))
}

function pipConfigFiles(environment) {
  if (environment.PIP_CONFIG_FILE) return [environment.PIP_CONFIG_FILE]
  const user = environment.XDG_CONFIG_HOME || join(homedir(), '.config')
  return ['/etc/xdg/pip/pip.conf', '/etc/pip.conf', join(homedir(), '.pip/pip.conf'), join(user, 'pip/pip.conf')]
}

/** The `[global]`, `[install]` and `[download]` settings of pip's INI file; an indented line continues the one before. */
export function parsePipConfig(text) {
  const settings = {}
  let section = ''
  let key = ''
  for (const line of text.split('\n')) {
    if (/^\s*([#;]|$)/.test(line)) continue
    const header = line.match(/^\[(.+)\]/)
    const setting = line.match(/^([\w-]+)\s*[=:]\s*(.*)$/)
    if (header) section = header[1]
    else if (!['global', 'install', 'download'].includes(section)) continue
    else if (setting) settings[(key = setting[1].replaceAll('_', '-'))] = setting[2].trim()
    else if (key) settings[key] += ` ${line.trim()}`
  }
  return settings
}

/** fetch refuses `user:password@`, so they become a header. */
function withoutCredentials(text) {
  const url = new URL(text)
  if (!url.username) return { url: text, headers: {} }
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  url.username = url.password = ''
  return { url: url.href, headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } }
}
