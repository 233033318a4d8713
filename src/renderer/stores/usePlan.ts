import type { ErrorValue } from '@contract/errors'
import type { PlanReport } from '@contract/plan'
import { ref, shallowRef, watch, type Ref } from 'vue'
import { api, errorValue } from '../api'
import type { JsonObject } from '../lib/path'

export interface StartWeights { run: string; step: number; name: string }

const delayMs = 150

/** What a recipe would train and cost, and whether the weights that it begins with fit it; asked again whenever it changes; an answer to an older question is dropped. `checking`: what stands there is of an older recipe. */
export function usePlan(recipe: Ref<JsonObject>, begins: Ref<StartWeights | null>) {
  const plan = shallowRef<PlanReport | null>(null)
  const planError = shallowRef<ErrorValue | null>(null)
  const checking = ref(true)
  let asked = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  async function ask(): Promise<void> {
    const mine = asked
    try {
      const answer = await (begins.value ? api.runs.planRestart({ run: begins.value.run, checkpoint: begins.value.step, recipe: recipe.value }) : api.runs.plan(recipe.value))
      if (mine !== asked) return
      plan.value = answer
      planError.value = null
    } catch (thrown) {
      if (mine === asked) planError.value = errorValue(thrown)
    } finally {
      if (mine === asked) checking.value = false
    }
  }

  watch([recipe, begins], () => {
    asked++
    checking.value = true
    clearTimeout(timer)
    timer = setTimeout(() => void ask(), delayMs)
  }, { deep: true, immediate: true })
  return { plan, planError, checking }
}
