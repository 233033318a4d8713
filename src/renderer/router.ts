import { createRouter, createWebHashHistory } from 'vue-router'

declare module 'vue-router' {
  interface RouteMeta { title: string; /** the view of the rail that it belongs to */ within?: string }
}

/** Addresses live in the hash, so that a reloaded window opens where it was. */
export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', redirect: '/runs' },
    { path: '/runs', name: 'runs', component: () => import('./views/RunsView.vue'), meta: { title: 'Runs' } },
    { path: '/runs/:run/:tab?', name: 'run', component: () => import('./views/RunView.vue'), props: true, meta: { title: 'Run', within: '/runs' } },
    { path: '/compare', name: 'compare', component: () => import('./views/CompareView.vue'), meta: { title: 'Compare', within: '/runs' } },
    { path: '/matrix', name: 'matrix', component: () => import('./views/MatrixView.vue'), meta: { title: 'Matrix' } },
    { path: '/new', name: 'new', component: () => import('./views/NewRunView.vue'), meta: { title: 'New run' } },
    { path: '/queue', name: 'queue', component: () => import('./views/QueueView.vue'), meta: { title: 'Queue' } },
    { path: '/checkpoints', name: 'checkpoints', component: () => import('./views/CheckpointsView.vue'), meta: { title: 'Checkpoints' } },
    { path: '/datasets', name: 'datasets', component: () => import('./views/DatasetsView.vue'), meta: { title: 'Datasets' } },
    { path: '/backbones', name: 'backbones', component: () => import('./views/BackbonesView.vue'), meta: { title: 'Backbones' } },
    { path: '/settings', name: 'settings', component: () => import('./views/SettingsView.vue'), meta: { title: 'Settings' } },
    { path: '/:rest(.*)', redirect: '/runs' },
  ],
})
