import { z } from 'zod'
import type { Role, Site } from '../sites'

/** The projections of a transformer block, in the words of the contract. */
export const linearRoles = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const
export type LinearRole = (typeof linearRoles)[number]

export const rolesField = (initial: LinearRole[], more = '') => z.array(z.enum(linearRoles)).min(1, 'needs at least one role').default(initial)
  .meta({ title: 'Layers', description: `Which projections are adapted: query, key, value, output, MLP gate, up and down.${more}` })

export const hasRole = (site: Site, roles: readonly Role[]): boolean => site.kind === 'linear' && roles.includes(site.role)
export const allLinear: LinearRole[] = [...linearRoles]
