import { safeStorage } from 'electron'
import type { Keychain } from './services/hub/account'

/** The system's keychain, or null. Chromium's stand-in on Linux locks with a key that everyone knows, which is none. */
export function keychain(): Keychain | null {
  if (!safeStorage.isEncryptionAvailable()) return null
  if (process.platform === 'linux' && safeStorage.getSelectedStorageBackend() === 'basic_text') return null
  return { encrypt: text => safeStorage.encryptString(text), decrypt: data => safeStorage.decryptString(data) }
}
