// Where an incident is, in the words that are read aloud on the telephone.
import { lang, t } from '../lib/i18n'
import { numbers } from '../lib/live'
import type { Category, Group, Home, Incident } from '../lib/types'
import { groupOf, homeOf } from './desk'

export const originOf = (i: Incident): Home | null => { const o = i.origins[0]; return o ? homeOf(o.home) : null }
export const homeName = (id: string) => homeOf(id)?.name ?? ''

// where is the short name of an origin: the home's, else the group's.
export const where = (i: Incident) => originOf(i)?.name || groupOf(i.group)?.name || ''

// area is the group with its neighbourhood: "Tổ liên gia số 1, Tổ 5".
export const area = (g: Group | null) => (g ? [g.name, g.neighbourhood].filter(Boolean).join(', ') : '')

// official is the whole address, from small to large, without saying anything twice.
export function official(h: Home | null, g: Group | null): string {
  const parts = [h?.address, g?.neighbourhood, g?.commune_name].filter((x): x is string => !!x)
  return parts.filter((p, n) => parts.indexOf(p) === n).join(', ').replace(/(\p{L}+) (?=\d)/gu, '$1\u00a0') // "Tổ 5" never breaks
}

export const coordinates = (h: Home | null) => (h?.placed ? `${h.lat.toFixed(6)}, ${h.lon.toFixed(6)}` : '')

// kind is the danger in one or two words; in a drill the danger is only played.
export const kind = (i: { category: Category }) => t(i.category)

// first says which service a danger is for; numbers themselves are configuration (name_key).
const service: Partial<Record<Category, string>> = { intrusion: 'police', holdup: 'police', medical: 'ambulance' }
export function lines(c: Category) {
  const want = service[c] ?? 'fire_rescue', all = [...numbers.value]
  return all.sort((a, b) => Number(b.name_key === want) - Number(a.name_key === want))
}

// dial makes a telephone link; spaces and dots in a written number do not belong into it.
export const dial = (number: string) => 'tel:' + number.replace(/[^+\d]/g, '')

// spoken groups digits as people say them: +84 900 001 106
export const spoken = (number: string) => number.replace(/^(\+84)(\d{3})(\d{3})(\d+)$/, '$1 $2 $3 $4').replace(/^(0\d{3})(\d{3})(\d+)$/, '$1 $2 $3')

export const collator = () => new Intl.Collator(lang.value)
