/** Round steps, 3 to 6 of them. */
export function niceStep(span: number, whole: boolean): number {
  if (!(span > 0)) return 1
  const rough = span / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5, 10].find(factor => factor * power >= rough * (1 - 1e-9)) ?? 10) * power
  return whole ? Math.max(1, Math.round(step)) : step
}

export function linearTicks(min: number, max: number, whole: boolean): number[] {
  const step = niceStep(max - min, whole)
  const ticks: number[] = []
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max + step * 1e-9; i++) ticks.push(Number((i * step).toPrecision(12)))
  return ticks
}

/** A range opened to round ends. */
export function niceRange(min: number, max: number, fromZero: boolean): [number, number] {
  const low = fromZero ? Math.min(0, min) : min
  const span = max - low || Math.abs(max) || 1
  const step = niceStep(span, false)
  return [Math.floor(low / step + 1e-9) * step, Math.ceil((max === low ? low + span : max) / step - 1e-9) * step]
}

/** 1-2-5 ticks of a logarithmic axis, thinned to about six; values and ends are given as logarithms. */
export function logTicks(min: number, max: number): number[] {
  const factors = max - min > 4 ? [1] : max - min > 2 ? [1, 3] : max - min > 0.7 ? [1, 2, 5] : [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 7]
  const ticks: number[] = []
  for (let power = Math.floor(min); power <= Math.ceil(max); power++) {
    for (const factor of factors) {
      const at = power + Math.log10(factor)
      if (at >= min - 1e-9 && at <= max + 1e-9) ticks.push(Math.min(max, Math.max(min, at)))
    }
  }
  return ticks
}

export function logRange(min: number, max: number): [number, number] {
  const around = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 7, 10]
  const power = 10 ** Math.floor(Math.log10(min))
  const low = power * (around.filter(factor => factor * power <= min).at(-1) ?? 1)
  const topPower = 10 ** Math.floor(Math.log10(max))
  const high = topPower * (around.find(factor => factor * topPower >= max) ?? 10)
  return [Math.log10(low), Math.log10(high === low ? high * 10 : high)]
}
