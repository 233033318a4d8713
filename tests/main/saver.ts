// Saves the same checkpoint again and again, each time with other bytes, until it is killed.
import { saveCheckpoint } from '../../src/main/store/checkpoints'

const runFolder = process.argv[2]!
for (let round = 0; ; round++) {
  const bytes = new Uint8Array(2_000_000).fill(round % 251)
  saveCheckpoint(runFolder, { step: 100, epoch: 1, files: { 'a.safetensors': [bytes], 'b.safetensors': [bytes] }, metrics: { round }, best: true })
  if (round === 0) process.stdout.write('saved\n')
}
