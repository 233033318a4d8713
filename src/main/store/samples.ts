import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** What a sample's provenance.json says that is shown; it says much more, for whoever reads it. */
const Provenance = z.looseObject({
  name: z.string().optional(), title: z.string().optional(), summary: z.string().optional(), description: z.string().optional(),
  licence: z.string().optional(), license: z.string().optional(), path: z.string().optional(),
})
export interface Sample { id: string; path: string; name: string; summary: string; licence: string | null }

/** The backbones and data that come with Engram: one folder each, whose name is the id. */
export function listSamples(resources: string, kind: 'backbones' | 'data'): Sample[] {
  const folder = join(resources, 'samples', kind)
  if (!existsSync(folder)) return []
  const ids = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory()).map(({ name }) => name).sort()
  return ids.map(id => readSample(join(folder, id), id))
}

function readSample(folder: string, id: string): Sample {
  const file = join(folder, 'provenance.json')
  const parsed = Provenance.safeParse(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {})
  const about = parsed.success ? parsed.data : {}
  return {
    id, path: about.path ? join(folder, about.path) : folder, name: about.title ?? about.name ?? id,
    summary: about.summary ?? about.description ?? '', licence: about.licence ?? about.license ?? null,
  }
}

/** The recipes that come with Engram: resources/recipes/<id>.json. */
export function listRecipes(resources: string): { id: string; path: string; recipe: Record<string, unknown> }[] {
  const folder = join(resources, 'recipes')
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter(name => name.endsWith('.json')).sort().map(name => {
    const path = join(folder, name)
    return { id: name.slice(0, -5), path, recipe: z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(path, 'utf8'))) }
  })
}
