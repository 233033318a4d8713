import { z } from 'zod'
import { HubEndpoint } from './hub'
import { RunView } from './runQuery'

/** Settings of a workspace; unknown keys are dropped, missing ones default. */
export const Settings = z.object({
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  density: z.enum(['comfortable', 'compact']).default('comfortable'),
  scale: z.number().min(0.9).max(1.5).default(1),
  railCollapsed: z.boolean().default(false),
  smoothing: z.number().min(0).max(0.99).default(0.9),
  cacheLimitBytes: z.number().min(1e8).default(2e10),
  checkpointBudgetBytes: z.number().min(1e8).nullable().default(null).describe('what checkpoints should take at most; null: no bound'),
  closing: z.enum(['ask', 'tray', 'stop']).default('ask').describe('what closing the window does while a run trains'),
  startQueue: z.boolean().default(true).describe('whether waiting runs start when Engram opens'),
  notify: z.boolean().default(true).describe('tell the end of a run while the window is not in front'),
  runViews: z.array(RunView).max(50).default([]).describe('saved views of the Runs table'),
  hubEndpoint: HubEndpoint.default('').describe('where backbones are downloaded from'),
  hintsSeen: z.int().min(0).max(3).default(0).describe('how many of the first hints were followed'),
  keepAwake: z.boolean().default(true).describe('no sleep while a run trains'),
})
export type Settings = z.infer<typeof Settings>
type Changes<S> = { [K in keyof S]: S[K] extends z.ZodDefault<infer F> ? z.ZodOptional<F> : never }
/** What to change. A field that is not given stays as it is: zod would fill in its default even where the field is optional. */
export const SettingsChange = z.object(Object.fromEntries(Object.entries(Settings.shape).map(([key, field]) => [key, field.unwrap().optional()])) as Changes<typeof Settings.shape>)

export const DoctorCheck = z.object({
  id: z.string(), title: z.string(), state: z.enum(['ok', 'missing', 'warning']), detail: z.string(),
  mend: z.string().nullable().describe('the command that mends it'),
})
export const DoctorReport = z.object({ ok: z.boolean(), workspace: z.string(), checks: z.array(DoctorCheck) })
export type DoctorReport = z.infer<typeof DoctorReport>

/** A text for whoever helps; a person can read it before it is sent. */
export const Diagnostics = z.object({ name: z.string().describe('of the file'), text: z.string() })
export type Diagnostics = z.infer<typeof Diagnostics>

/** The status bar, about once a second. */
export const SystemStatus = z.object({
  device: z.string(), memoryUsed: z.number(), memoryTotal: z.number(), diskFree: z.number(), version: z.string(), workspace: z.string(),
})
export type SystemStatus = z.infer<typeof SystemStatus>
