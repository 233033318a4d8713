import type { Notice } from '@contract/plan'
import type { Json } from '../lib/path'
import type { Field } from './schema'

/** What a generated form reads and writes; the draft is one. */
export interface FormModel {
  get(path: string): Json | undefined
  set(path: string, value: Json | undefined): void
  differs(field: Field): boolean
  notice(path: string): Notice | undefined
  /** A caption in place of "Default …", where the default comes from elsewhere. */
  defaultNote?(field: Field): string | undefined
  /** The value shown in an empty number field. */
  fallback?(field: Field): number | undefined
}
