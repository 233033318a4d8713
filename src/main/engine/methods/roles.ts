import { z } from 'zod'
import type { Role, Site } from '../sites'

/** The projections of a transformer block, in the words of the contract. */
export const linearRoles = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const
export type LinearRole = (typeof linearRoles)[number]

/** A field that picks projections. */
export const rolesField = (initial: LinearRole[], title: string, description: string) =>
  z.array(z.enum(linearRoles)).default(initial).meta({ title, description })

export const hasRole = (site: Site, roles: readonly Role[]): boolean => site.kind === 'linear' && roles.includes(site.role)
export const allLinear: LinearRole[] = [...linearRoles]
