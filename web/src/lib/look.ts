// How this device shows things: day or night, text size, reduced motion. Kept on the device only.
import { signal } from '@preact/signals'

export type Theme = 'auto' | 'day' | 'night'
export const theme = signal<Theme>('auto')
export const large = signal(false)

const get = (k: string) => { try { return localStorage.getItem(k) } catch { return null } }
const set = (k: string, v: string) => { try { localStorage.setItem(k, v) } catch { /* storage is blocked: it lasts until the page closes */ } }

export function setTheme(v: Theme) {
  theme.value = v
  set('keng_theme', v)
  if (v === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = v
}

export function setLarge(v: boolean) {
  large.value = v
  set('keng_large', v ? '1' : '')
  document.documentElement.classList.toggle('large', v)
}

// restore applies what was chosen before.
export function restore() {
  const v = get('keng_theme')
  if (v === 'day' || v === 'night') setTheme(v)
  if (get('keng_large')) setLarge(true)
}
