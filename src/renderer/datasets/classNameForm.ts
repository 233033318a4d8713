import { nameProblems, tidyName } from '@contract/classNames'
import { computed, reactive, ref } from 'vue'
import { plural } from '../lib/format'

/** The names of a dataset's classes while a person writes them: nothing is wrong before the field was left. */
export function useClassNameForm(classes: readonly string[], given: readonly string[]) {
  const names = ref([...given])
  const left = reactive(new Set<number>())
  const refused = ref<{ at: number; sentence: string } | null>(null)
  const problems = computed(() => nameProblems(names.value, classes))
  const changed = computed(() => names.value.some((name, i) => name !== classes[i]))
  const firstWrong = computed(() => problems.value.findIndex(problem => problem !== null))

  function write(at: number, name: string): void {
    names.value[at] = name
    refused.value = null
  }

  /** A list goes into the fields from one on; one that is too long is refused whole. */
  function paste(at: number, text: string): boolean {
    const list = text.split(/\r?\n/).map(tidyName)
    while (list.at(-1) === '') list.pop()
    if (list.length < 2) return false
    const room = classes.length - at
    if (list.length > room) refused.value = { at, sentence: `The list has ${list.length} names for ${plural(room, 'class', 'classes')}: paste as many as there are.` }
    else for (const [i, name] of list.entries()) { write(at + i, name); left.add(at + i) }
    return true
  }

  function reset(): void {
    names.value = [...classes]
    left.clear()
    refused.value = null
  }

  const problemAt = (at: number): string => refused.value?.at === at ? refused.value.sentence : left.has(at) ? problems.value[at] ?? '' : ''
  const leaveAll = () => { for (const at of names.value.keys()) left.add(at) }
  return { names, changed, firstWrong, left, write, paste, reset, leaveAll, problemAt }
}
