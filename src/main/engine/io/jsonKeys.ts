/** The keys of a JSON object in the order of the text, repeated ones too, which JSON.parse hides. The text is valid JSON. */
export function topLevelKeys(text: string): string[] {
  const keys: string[] = []
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g
  let depth = 0, last = ''
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [found] = match
    if (found === '{' || found === '[') depth++
    else if (found === '}' || found === ']') depth--
    else if (found === ':' && depth === 1) keys.push(JSON.parse(last) as string)
    last = found
  }
  return keys
}
