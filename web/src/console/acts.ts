// What the officer does to an incident. Acknowledge, silence and close are three acts; none implies another.
//
// Every act goes through the outbox, so it is sent once however often the key is hit, but it is given up after
// WITHIN: a siren must not be silenced by a key pressed in an outage minutes ago.
import { computed } from '@preact/signals'
import { queue, send } from '../lib/outbox'
import type { Answer, Category, Cause, Incident } from '../lib/types'
import { live, open, waits } from './order'
import { closedHere, mayAct } from './desk'
import { say } from './say'

const WITHIN = 20_000 // ms

// SILENCE is how long a group's sirens rest; the server never allows more than its plan's silence_max.
export const SILENCE = 180 // seconds

export type Verb = 'acknowledge' | 'attend' | 'control' | 'silence' | 'close' | 'notes' | 'answers' | 'category'

const path = (i: Incident, v: Verb) => `/api/v1/incidents/${i.id}/${v}`
const waitingPaths = computed(() => new Set(queue.value.map((d) => d.path)))
export const pending = (i: Incident, v: Verb) => waitingPaths.value.has(path(i, v))

// can says whether an act makes sense now. The server has the last word.
export function can(i: Incident, v: Verb): boolean {
  if (!mayAct.value) return false
  if (v === 'notes') return true
  if (!open(i)) return false
  switch (v) {
    case 'acknowledge': return live(i) ? waits(i) : i.response === 'unacknowledged'
    case 'attend': return i.response === 'unacknowledged' || i.response === 'acknowledged'
    case 'control': return i.response !== 'under_control'
    case 'category': return live(i) && !i.silent
    case 'silence': return !i.silent && i.annunciation === 'sounding'
    default: return true
  }
}

function act(i: Incident, v: Verb, body: object, told: string): boolean {
  if (!can(i, v) || (v !== 'answers' && v !== 'notes' && pending(i, v))) return false
  send(path(i, v), body, { within: WITHIN, told: `${told} ${i.code ?? ''}`.trim() })
  return true
}

export const acknowledge = (i: Incident) => act(i, 'acknowledge', {}, say('act.ack'))
export const attend = (i: Incident) => act(i, 'attend', {}, say('act.attend'))
export const control = (i: Incident) => act(i, 'control', {}, say('act.control'))
export const silence = (i: Incident) => act(i, 'silence', { home: '', seconds: SILENCE }, say('act.silence'))
export const close = (i: Incident, cause: Cause, note: string) => { closedHere.add(i.id); return act(i, 'close', { cause, note }, say('act.close')) }
export const note = (i: Incident, text: string) => act(i, 'notes', { text }, say('tl.note'))
export const name = (i: Incident, category: Category) => act(i, 'category', { category }, say('act.kind'))
export const answerFor = (i: Incident, home: string, answer: Answer, reason: string) => act(i, 'answers', { home, answer, reason }, say('r.behalf'))
