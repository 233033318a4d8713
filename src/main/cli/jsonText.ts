import { AppError } from '../contract/errors'

/** Parses JSON; a mistake is told by line and column, which JSON.parse does not always do. */
export function parseJson(text: string, name: string): unknown {
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  try {
    return JSON.parse(source)
  } catch {
    const { at, expected } = firstMistake(source, name)
    const before = source.slice(0, at).split('\n')
    const found = at >= source.length ? 'the end of the file' : JSON.stringify(source[at])
    throw new AppError('bad-input', `${name}: line ${before.length}, column ${before.at(-1)!.length + 1}: expected ${expected}, found ${found}.`)
  }
}

function firstMistake(source: string, name: string): { at: number; expected: string } {
  try {
    return new Scanner(source).firstMistake()
  } catch (thrown) {
    if (thrown instanceof RangeError) throw new AppError('bad-input', `${name} is nested too deeply to be read, and no valid JSON.`)
    throw thrown
  }
}

class Mistake extends Error {
  constructor(readonly at: number, readonly expected: string) { super(expected) }
}

/** Walks JSON text until its first mistake. */
class Scanner {
  private at = 0
  constructor(private readonly text: string) {}

  firstMistake(): { at: number; expected: string } {
    try {
      this.value()
      this.space()
      return { at: this.at, expected: 'the end of the file' }
    } catch (thrown) {
      if (thrown instanceof Mistake) return thrown
      throw thrown
    }
  }

  private space(): void { this.skip(/[ \t\r\n]*/y) }

  private skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)
    if (match) this.at = pattern.lastIndex
    return match !== null
  }

  private fail(expected: string): never { throw new Mistake(this.at, expected) }

  private value(): void {
    this.space()
    const start = this.text[this.at]
    if (start === '{') this.members('}', () => this.member())
    else if (start === '[') this.members(']', () => this.value())
    else if (start === '"') this.string()
    else if (!this.skip(/(true|false|null)\b|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?(?![\w.])/y)) this.fail('a value')
  }

  private members(close: string, one: () => void): void {
    this.at++
    this.space()
    if (this.text[this.at] === close) return void this.at++
    for (;;) {
      one()
      this.space()
      if (this.text[this.at] === close) return void this.at++
      if (this.text[this.at] !== ',') this.fail(`"," or "${close}"`)
      this.at++
    }
  }

  private member(): void {
    this.space()
    if (this.text[this.at] !== '"') this.fail('a name in double quotes')
    this.string()
    this.space()
    if (this.text[this.at] !== ':') this.fail('":"')
    this.at++
    this.value()
  }

  private string(): void {
    this.skip(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y)
    if (this.text[this.at] === '\\') this.fail('a valid escape')
    if (this.text[this.at] !== '"') this.fail('the end of the text, a double quote')
    this.at++
  }
}
