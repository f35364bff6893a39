// The timeline in sentences: one for every key that the rules of the alarm write, and an honest one for a key
// that this screen does not know yet.
import { t } from '../lib/i18n'
import type { Incident, TimelineEntry } from '../lib/types'
import { homeName } from './place'
import { say, span } from './say'

const low = (s: string) => s.charAt(0).toLocaleLowerCase() + s.slice(1)
const text = (v: unknown) => (typeof v === 'string' ? v : '')

export const device = (kind: string) => (kind ? low(t('kind_' + kind)) || say('ev.device') : '')
export const cause = (c: string) => t('cause_' + c) || c

export function sentence(e: TimelineEntry, i: Incident): string {
  const a = e.args ?? {}, behalf = a.on_behalf === true
  const values = {
    home: homeName(e.home), by: e.by, text: text(a.text), number: a.number, code: i.code,
    category: a.category ? low(t(text(a.category))) : '', device: device(text(a.device_kind)), cause: a.cause ? low(cause(text(a.cause))) : '',
    seconds: typeof a.seconds === 'number' ? span(Math.abs(a.seconds)) : '', role: a.role ? low(t(text(a.role))) : '',
    answer: e.key.startsWith('event.answer.') ? low(t(e.key.slice(13))) : '',
  }
  if (e.key.startsWith('event.answer.')) return say(behalf ? 'ev.answer.behalf' : 'ev.answer', values)
  if (e.key === 'event.silenced') return say(e.home ? 'ev.silenced.home' : 'ev.silenced', values)
  if (e.key === 'event.raised' && i.silent) return say('ev.raised.silent', values)
  return say('ev.' + e.key.replace(/^event\./, ''), values) || say('ev.unknown', values)
}

const icons: Record<string, string> = {
  raised: 'gong', pressed_again: 'gong', spread: 'gong', joined: 'gong', drill: 'gong', test: 'gong', verified: 'gong', resounds: 'sound', silenced: 'mute',
  acknowledged: 'shield', attended: 'people', under_control: 'check', closed: 'flag', noted: 'tip', mistake_claimed: 'tip', desk_lost: 'clock',
  returned: 'check', recategorised: 'tip', clock_shifted: 'clock',
}
const answers: Record<string, string> = { safe: 'check', coming: 'run', need_help: 'sos', away: 'minus', cannot_help: 'minus' }

export function icon(key: string): string {
  const k = key.replace(/^event\./, '')
  return k.startsWith('answer.') ? answers[k.slice(7)] ?? 'dots' : k.startsWith('call.') || k.startsWith('would_call.') ? 'phone' : icons[k] ?? 'dots'
}

// step names the next rung of the escalation plan.
export const step = (key: string) => say(key) || say('step.other')
