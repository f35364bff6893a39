import { words } from '../lib/i18n'
import { vi } from './later.vi'

export const l = words(vi, () => import('./later.en'))
