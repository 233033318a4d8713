import { z } from 'zod'

const LONGEST = 4096
const steps = (path: string) => path.split(/[\\/]/)
const Text = z.string().min(1).max(LONGEST)
  .refine(path => !path.includes('\0') && !steps(path).includes('..'), 'is not a path that the window may name; give it whole, without ".."')

/** An id of the catalog, or a path. */
export const Place = Text
/** A path as a file dialog gives it: nothing in it depends on where the program was started. */
export const WholePath = Text.refine(path => /^([\\/]|~[\\/]|[A-Za-z]:[\\/])/.test(path), 'is not a whole path; choose the file or folder itself')
