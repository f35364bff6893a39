import type { vi } from './reason.vi'
export const en: Record<keyof typeof vi, string> = {
  'home.ready': 'Ready',
  'home.siren_offline': 'Siren offline for {hours} h. Check its power.',
}
