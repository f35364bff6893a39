// The desk's words. A part of a sentence in [square brackets] is left out when a value in it is missing:
// '{step}[, {by}]' says 'Tiếp nhận' when nobody's name is known.
import { fill, words, type Values } from '../lib/i18n'
import { vi, type Key } from './words/vi'

const raw = words<Key>(vi, () => import('./words/en'))

// say answers '' for a key it does not know, so that the caller can fall back.
export function say(key: Key | (string & {}), values: Values = {}): string {
  const present = (part: string) => [...part.matchAll(/\{(\w+)/g)].every((m) => values[m[1]] !== undefined && values[m[1]] !== null && values[m[1]] !== '')
  return fill(raw(key).replace(/\[([^[\]]*)\]/g, (_, part: string) => (present(part) ? part : '')), values)
}

// span is a length of time in words: 38 giây, 2 phút 14 giây, 3 giờ 5 phút, 4 ngày.
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds)), m = Math.floor(s / 60), h = Math.floor(m / 60)
  if (s < 60) return say('t.s', { n: s })
  if (m < 10) return say('t.m', { n: m }) + (s % 60 ? ' ' + say('t.s', { n: s % 60 }) : '')
  if (m < 60) return say('t.m', { n: m })
  if (h < 48) return say('t.h', { n: h }) + (m % 60 && h < 10 ? ' ' + say('t.m', { n: m % 60 }) : '')
  return say('t.d', { n: Math.floor(h / 24) })
}
