import { viewOf } from '../../../../src/main/store/data/view'

export const view = viewOf({ interpolation: 'bicubic', resize: 'squash', cropFraction: 1 }, 16)
export const choice = { split: { validation: 0.25, test: 0, seed: 0 }, limit: null }
