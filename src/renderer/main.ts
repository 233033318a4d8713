import '@fontsource-variable/inter/wght.css'
import '@fontsource-variable/jetbrains-mono/wght.css'
import './theme/base.css'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { router } from './router'
import { useCatalog } from './stores/catalog'
import { useDatasets } from './stores/datasets'
import { useHub } from './stores/hub'
import { useModels } from './stores/models'
import { useQueue } from './stores/queue'
import { useRuns } from './stores/runs'
import { useSettings } from './stores/settings'
import { useSystem } from './stores/system'
import { installTokens } from './theme/css'

installTokens()
const app = createApp(App).use(createPinia()).use(router)
void useSettings().open()
useSystem().open()
useRuns().open()
useQueue().open()
void useCatalog().load()
void useModels().load()
void useHub().open()
void useDatasets().load()
app.mount('#app')
