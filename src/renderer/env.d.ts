/// <reference types="vite/client" />
import type { Bridge } from './api'

declare global {
  interface Window { engram: Bridge }
}
