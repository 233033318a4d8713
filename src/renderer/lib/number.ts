/** Reads what people write in number fields: 5e-3, 1/32, 20 %, 1,000. Undefined when it is no number. */
export function parseNumber(text: string): number | undefined {
  const clean = text.trim().replaceAll(',', '').replace('−', '-')
  const percent = /^(.+?)\s*%$/.exec(clean)
  if (percent?.[1]) return scaled(parseNumber(percent[1]), 0.01)
  const fraction = /^(\S+)\s*\/\s*(\S+)$/.exec(clean)
  if (fraction?.[1] && fraction[2]) {
    const [top, bottom] = [parseNumber(fraction[1]), parseNumber(fraction[2])]
    return top === undefined || !bottom ? undefined : top / bottom
  }
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(clean) ? Number(clean) : undefined
}

// 20 * 0.01 is 0.2, but 7 * 0.01 is 0.07000000000000001.
const scaled = (value: number | undefined, by: number) => value === undefined ? undefined : Number((value * by).toPrecision(12))
