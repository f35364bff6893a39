// What the resident's phone shows and does. Pure readings of lib/live, and the verbs of a person.
import { computed, signal } from '@preact/signals'
import { t as common, words } from '../lib/i18n'
import { later } from '../lib/lazy'
import { confirmed, connection, group, homeOf, groupOf, incidents, me, now, numbers, serverNow } from '../lib/live'
import { queue, raised, recall, send, type Deed } from '../lib/outbox'
import { ms } from '../lib/time'
import type { Answer, Category, Cause, Home, Incident } from '../lib/types'
import { vi } from './vi'

export const t = words(vi, () => import('./en'))

// rest is the code that comes later: group, leader, settings, closed incidents.
export const rest = later(() => import('./rest'))

export type Tab = 'gong' | 'group' | 'more'
export const tab = signal<Tab>('gong')
// What is open on top: the question before raising, the address card, answering for a neighbour, closing.
export type Open = { what: 'ask' } | { what: 'call'; incident?: Incident } | { what: 'behalf'; incident: Incident } | { what: 'close'; incident: Incident } | null
export const open = signal<Open>(null)
export const talk = signal<string | null>(null) // the thread that is open: an incident's, or '' for the group's
export const news = signal(0) // messages not read yet
export const pinned = signal(0) // notices and warnings that stand
export const past = signal<string | null>(null) // a closed incident that is being read
export const chosen = signal<string | null>(null) // of several open incidents
export const minimised = signal<ReadonlySet<string>>(new Set())
export const changing = signal<string | null>(null) // the incident whose answer is being changed
export const muted = signal<ReadonlySet<string>>(new Set()) // alarms that this phone no longer sounds
export const raisedHere = signal<ReadonlySet<string>>(new Set())
export const toast = signal(0) // Unix ms of the evening's stroke, 0 for none

export const leads = computed(() => me.value?.role === 'leader' || me.value?.role === 'deputy')
export const home = computed(() => homeOf(me.value?.home ?? ''))
export const others = computed(() => group.value?.homes.filter((h) => h.id !== me.value?.home) ?? [])
// Nobody at home sees a silent alarm, not even whoever raised it: the screen stays as it was.
const seen = computed(() => incidents.value.filter((i) => !i.silent))
export const alarms = computed(() => seen.value.filter((i) => !i.closed && i.mode !== 'test'))
export const bellTest = computed(() => seen.value.find((i) => !i.closed && i.mode === 'test' && i.group === group.value?.id))
export const closed = computed(() => seen.value.filter((i) => i.closed))
export const current = computed(() => alarms.value.find((i) => i.id === chosen.value) ?? alarms.value.find((i) => !minimised.value.has(i.id)))
export const queuedRaise = computed(() => queue.value.find((d) => d.alarm && !d.quiet && d.person === me.value?.person))

// A silent alarm leaves one small mark on the screen for whoever raised it: hollow while it waits, full once the desk has it.
export const silentSent = signal(false)
export const queuedSilent = computed(() => (queue.value.some((d) => d.alarm && d.quiet) ? 'waiting' : silentSent.value ? 'sent' : ''))

export const byMe = (i: Incident) => raisedHere.value.has(i.id) || i.origins.some((o) => o.home === me.value?.home && !o.device && o.person === me.value?.name && !!o.person)
export const fromMyHome = (i: Incident) => i.origins.some((o) => o.home === me.value?.home)

// mine is my own answer, and whether it is still on its way.
export function mine(i: Incident): { answer: Answer; sending: boolean } | null {
  const waiting = queue.value.filter((d) => d.path === `/api/v1/incidents/${i.id}/answers` && !(d.body as { home?: string }).home).at(-1)
  if (waiting) return { answer: (waiting.body as { answer: Answer }).answer, sending: true }
  const said = i.homes.find((r) => r.home === me.value?.home)?.people?.find((p) => p.person === me.value?.person)
  return said?.answer ? { answer: said.answer, sending: false } : null
}

// ringKey changes when a further home joins, so that a phone which was silenced sounds again.
export const ringKey = (i: Incident) => `${i.id}/${i.origins.length}`
const lastOrigin = (i: Incident) => Math.max(0, ...i.origins.map((o) => ms(o.at)))

// rings: this phone should sound for i. Silence and answers of one home never touch another's.
export function rings(i: Incident): boolean {
  if (!confirmed.value || i.annunciation !== 'sounding' || byMe(i) || muted.value.has(ringKey(i))) return false
  const m = me.value
  if (!m || i.silences.some((s) => (s.home === '' || s.home === m.home) && ms(s.until) > now.value)) return false
  const said = i.homes.find((r) => r.home === m.home)?.people?.find((p) => p.person === m.person)
  if (said?.answer && ms(said.at) >= lastOrigin(i)) return false
  return !mine(i)?.sending
}
export const loudest = computed(() => alarms.value.find(rings))

export const whose = (id: string) => homeOf(id)?.name ?? t('unknownHome')
// kindOf is the danger whose advice applies: carbon monoxide is treated as gas.
export const kindOf = (i: Incident) => (i.category === 'co' ? 'gas' : i.category)
export const danger = (c: Category) => common(c)

// place is an address as it is read aloud, line by line.
export function place(h: Home | null, groupID: string): string[] {
  const g = groupOf(groupID)
  return [h?.name, h?.address, g?.neighbourhood, g?.commune_name, g?.province_name].filter((x): x is string => !!x)
}

export const numberFor = (key: string, otherwise: string) => numbers.value.find((n) => n.name_key === key)?.number ?? otherwise
// callFor lists whom to call for a danger: fire and rescue always first.
export function callFor(c: Category): string[] {
  const first = numberFor('fire_rescue', '114')
  const second = c === 'intrusion' || c === 'holdup' ? numberFor('police', '113') : c === 'medical' ? numberFor('ambulance', '115') : ''
  return second ? [first, second] : [first]
}

// unit as it stands inside a sentence: "phường Tân Hoà".
export function unit(): string { const n = group.value?.commune_name ?? me.value?.unit_name ?? ''; return n.charAt(0).toLowerCase() + n.slice(1) }

// metres between two homes, 0 when one of them has no position.
export function metres(a: Home | null, b: Home | null): number {
  if (!a?.placed || !b?.placed || a.id === b.id) return 0
  const rad = Math.PI / 180, x = (a.lon - b.lon) * rad * Math.cos(a.lat * rad), y = (a.lat - b.lat) * rad
  return Math.round(Math.hypot(x, y) * 6_371_000)
}

const on = (i: Incident, verb: string) => `/api/v1/incidents/${i.id}/${verb}`

// raise sends the alarm before anything else; a silent one leaves no trace on this screen.
export function raise(category?: Category): Deed {
  const silent = category === 'holdup'
  open.value = null
  if (!silent) { tab.value = 'gong'; past.value = null }
  return send('/api/v1/incidents', { home: me.value?.home || undefined, category, silent: silent || undefined, pressed_at: new Date(serverNow()).toISOString() }, { alarm: true, quiet: silent, told: t('askYes') })
}

// name says what the danger is, also of an alarm that the server does not know yet.
export const name = (of: Incident | Deed, category: Category) => send('version' in of ? on(of, 'category') : `/api/v1/incidents/${raised(of.id)}/category`, { category }, { told: t('what') })

export function answer(i: Incident, a: Answer, forHome?: string, reason?: string) {
  if (!forHome) { changing.value = null; mute(i) }
  send(on(i, 'answers'), { answer: a, home: forHome, reason }, { told: common(a) })
}
export const receive = (i: Incident) => send(on(i, 'receipts'), {}, { quiet: true })
export const close = (i: Incident, cause: Cause, note = '') => send(on(i, 'close'), { cause, note }, { told: t('mistake') })
export const silence = (i: Incident, h: string) => send(on(i, 'silence'), { home: h, seconds: 180 }, { told: t('muteHome') })
export const respond = (i: Incident, verb: 'acknowledge' | 'attend' | 'control') => send(on(i, verb), {})

export function mute(i: Incident) { muted.value = new Set(muted.value).add(ringKey(i)) }
export function minimise(i: Incident) { chosen.value = null; tab.value = 'gong'; minimised.value = new Set(minimised.value).add(i.id) }
export function show(i: Incident) { const s = new Set(minimised.value); s.delete(i.id); minimised.value = s; chosen.value = i.id; past.value = null }

// takeBack drops an alarm that was never tried; one that was may have rung already, so it is called off instead.
export function takeBack(d: Deed) { if (!recall(d.id)) send(`/api/v1/incidents/${raised(d.id)}/close`, { cause: 'mistaken_alarm', note: '' }, { told: t('mistake') }) }

export const isLost = computed(() => connection.value === 'lost')
