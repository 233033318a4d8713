/** A device in one word, for buttons and titles: "GPU 0", "GPU" or "CPU". */
export function shortDevice(device: string): string {
  const numbered = /\bGPU \d+/.exec(device)?.[0]
  if (numbered) return numbered
  return /gpu|nvidia|geforce|tesla|radeon|quadro/i.test(device) ? 'GPU' : device ? 'CPU' : ''
}
