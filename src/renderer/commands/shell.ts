import { ref } from 'vue'

/** What lies over or beside any page. */
export const paletteOpen = ref(false)
export const sheetOpen = ref(false)
