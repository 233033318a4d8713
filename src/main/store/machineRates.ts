import { join } from 'node:path'
import { z } from 'zod'
import { Rates } from '../contract/rates'
import { writeJsonAtomic } from './atomic'
import { readJson } from './jsonFile'

const Known = z.record(z.string(), Rates)
const pathIn = (cache: string): string => join(cache, 'product-rates.json')

/** What machines reached in a workspace with the products of a compiled step, by device and processor. */
export const readRates = (cache: string): Record<string, Rates> => readJson(pathIn(cache), Known, () => ({}))
export const keepRates = (cache: string, machine: string, rates: Rates): void => writeJsonAtomic(pathIn(cache), { ...readRates(cache), [machine]: rates })
