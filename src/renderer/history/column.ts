/** Numbers that only grow at the end, in one typed array, or are cut when a run resumes from before. */
export class Column {
  values = new Float64Array(1024)
  length = 0

  push(value: number): void {
    if (this.length === this.values.length) {
      const wider = new Float64Array(this.length * 2)
      wider.set(this.values)
      this.values = wider
    }
    this.values[this.length++] = value
  }

  cut(length: number): void {
    this.length = Math.min(this.length, length)
  }

  get last(): number | undefined {
    return this.length > 0 ? this.values[this.length - 1] : undefined
  }
}
