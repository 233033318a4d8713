import type { RunCard } from '@contract/run'

/** Whether a run can go on where it is: one that diverged would do so again. */
export const isResumable = ({ resumeStep, status, error }: Pick<RunCard, 'resumeStep' | 'status' | 'error'>): boolean =>
  resumeStep !== null && ['stopped', 'interrupted', 'failed'].includes(status) && error?.code !== 'diverged'
