import { homedir } from 'node:os'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { makeFolder, onDisk } from './atomic'
import { existsSync, realpathSync } from 'node:fs'

/** Where everything of a workspace lives. */
export interface Workspace {
  root: string; runs: string; lanes: string; cache: string; trash: string; models: string; data: string; hubToken: string
  backbones: string; datasets: string; settings: string; classNames: string; index: string; queue: string; sweeps: string; windowLock: string; windowState: string
}

/** `--workspace`, else ENGRAM_WORKSPACE, else ~/Engram; always absolute. */
export function workspaceRoot(chosen?: string, env: NodeJS.ProcessEnv = process.env): string {
  const named = chosen ?? env['ENGRAM_WORKSPACE']
  return named ? resolve(expandHome(named)) : join(homedir(), 'Engram')
}

export function workspacePaths(root: string): Workspace {
  const at = (name: string) => join(root, name)
  return {
    root, runs: at('runs'), lanes: at('lanes'), cache: at('cache'), trash: at('trash'), models: at('models'), data: at('data'), hubToken: at('hub-token'),
    backbones: at('backbones.json'), datasets: at('datasets.json'), settings: at('settings.json'), classNames: at('class-names.json'),
    index: at('index.sqlite'), queue: at('queue.json'), sweeps: at('sweeps'), windowLock: at('window.lock'), windowState: at('window.json'),
  }
}

/** Makes the folders of a workspace; a clear error where the place cannot be written. */
export function openWorkspace(root: string): Workspace {
  const paths = workspacePaths(root)
  onDisk(`make the workspace ${root}`, () => {
    for (const folder of [paths.runs, paths.cache, paths.trash, paths.models]) makeFolder(folder)
  })
  return paths
}

const expandHome = (path: string) => path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path

/** A path as people write it: `~`, absolute, or relative to the first base where it exists. */
export function candidatePaths(path: string, bases: readonly string[]): string[] {
  const open = expandHome(path)
  return isAbsolute(open) ? [open] : bases.map(base => resolve(base, open))
}

/** Whether a path is a folder or lies in it, links followed as far as they exist. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(real(folder), real(path))
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

function real(path: string): string {
  if (existsSync(path)) return realpathSync(path)
  return dirname(path) === path ? path : join(real(dirname(path)), basename(path))
}

/** The folder `resources/` for an entry built into out/main. */
export const resourcesFolder = (entryFolder: string): string => join(dirname(dirname(entryFolder)), 'resources')
