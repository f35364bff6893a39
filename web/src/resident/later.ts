import { words } from '../lib/i18n'
import { later } from '../lib/lazy'
import { vi } from './later.vi'

export const l = words(vi, () => import('./later.en'))

// own is the group from inside, in a file of its own: it is looked at rarely.
const own = later(() => import('./own'))
export const Own = own.part((m) => m.Own), HomeNotes = own.part((m) => m.HomeNotes), Found = own.part((m) => m.Found)
