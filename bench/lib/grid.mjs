// The rows and columns of the table. A new row is one line here; see README.md.

/** Sizes of timm's models; `steps` are measured after the warm-up. */
export const backbones = {
  'vit-ti': { title: 'ViT-Ti/16', timm: 'vit_tiny_patch16_224', width: 192, depth: 12, batch: 8, steps: 12 },
  'vit-s': { title: 'ViT-S/16', timm: 'vit_small_patch16_224', width: 384, depth: 12, batch: 8, steps: 8 },
  'vit-b': { title: 'ViT-B/16', timm: 'vit_base_patch16_224', width: 768, depth: 12, batch: 4, steps: 6 },
}

/** `recipe`: the method in Engram's recipe. Its counterpart of the same name is in torch/methods.py. */
export const methods = {
  'linear-probe': { title: 'Linear probe', recipe: { type: 'linear-probe' }, learningRate: 1e-2 },
  'lora': { title: 'LoRA-8', recipe: { type: 'lora', rank: 8, alpha: 8 }, learningRate: 1e-3 },
  'ssf': { title: 'SSF', recipe: { type: 'ssf' }, learningRate: 1e-3 },
  'san-ssf': { title: 'SAN + SSF', recipe: { type: 'ssf', san: {} }, learningRate: 1e-3 },
  'full': { title: 'Full fine-tuning', recipe: { type: 'full' }, learningRate: 1e-4 },
  // Forward passes alone are measured in Engram's evaluations; a head is trained to have something to evaluate.
  'inference': { title: 'Inference', recipe: { type: 'linear-probe' }, learningRate: 1e-3 },
}

const torch = (id, title, precision, compile) => ({ id: `torch-${id}`, title, side: 'torch', precision, compile })
const engram = (id, title, precision, step) => ({ id: `engram-${id}`, title, side: 'engram', precision, step })

/** The columns, in the order in which a row measures them: the two sides take turns. `extra` ones only when asked for. */
export const modes = [
  torch('eager', 'torch eager f32', 'float32', false),
  engram('eager', 'Engram eager f32', 'float32', 'eager'),
  torch('compile', 'torch.compile f32', 'float32', true),
  engram('compiled', 'Engram compiled f32', 'float32', 'compiled'),
  torch('bf16', 'torch autocast bf16', 'bfloat16', false),
  engram('bf16', 'Engram compiled bf16', 'bfloat16', 'compiled'),
  torch('compile-bf16', 'torch.compile + bf16', 'bfloat16', true),
  { ...engram('auto', 'Engram auto', 'auto', 'auto'), extra: true },
]

export const CLASSES = 100
export const SIDE = 224
export const PATCH = 16
export const TRAIN_IMAGES = 104
export const VALIDATION_IMAGES = 16
/** Steps (or evaluations) that are run and not counted. */
export const WARM_UP = 2

/** All cells of the chosen rows, methods and modes, row by row. */
export function cellsOf({ rows, methods: chosenMethods, modes: chosenModes, steps }) {
  return rows.flatMap((row) =>
    chosenMethods.flatMap((method) =>
      chosenModes.map((mode) => ({
        row,
        method,
        mode: mode.id,
        key: `${row} ${method} ${mode.id}`,
        steps: steps ?? backbones[row].steps,
      })),
    ),
  )
}
