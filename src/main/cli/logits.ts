import { type Command, textOf } from './command'
import { table } from './output'

export const logits: Command = {
  name: 'logits', usage: 'logits --model DIR [--adapter DIR] --input IN.safetensors --output OUT.safetensors',
  about: 'Raw tensors in (pixel_values [B,3,H,W] f32), logits out, or features where there is no head.',
  options: {
    model: { value: 'DIR', about: 'a backbone or an export', required: true }, adapter: { value: 'DIR', about: 'an adapter on top' },
    input: { value: 'IN.safetensors', about: 'the input tensors', required: true }, output: { value: 'OUT.safetensors', about: 'where the result goes', required: true },
  },
  words: [0, 0],
  async run({ services, out, json, values, signal }) {
    const text = (name: string) => textOf(values, name)!
    const report = await services().tools.logits({ model: text('model'), adapter: textOf(values, 'adapter') ?? null, input: text('input'), output: text('output') }, { signal })
    if (json) return out.json(report)
    out.line(`${report.output}\n${table(report.tensors, [{ title: 'TENSOR', cell: ({ name }) => name }, { title: 'SHAPE', cell: ({ shape }) => `[${shape.join(', ')}]` }])}`)
  },
}
