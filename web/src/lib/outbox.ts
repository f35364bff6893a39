// The outbox: every deed of a person goes through it, so that nothing said without a network is lost and nothing is said twice.
//
//   - A deed is tried at once and written to IndexedDB beside it; a slow or broken storage never delays an alarm.
//   - Its id is its Idempotency-Key: trying again is the same deed for the server.
//   - Deeds of one incident keep their order; incidents do not wait for each other; alarms go first.
//   - A deed that follows an alarm the server does not know yet says so with raised(id) in its path.
//   - No answer, 408, 425, 429 and 5xx: tried again, later and later, at once when the network returns. 401 waits for a sign-in.
//     Any other refusal is the server's word and is shown to the person (refusals).
import { signal } from '@preact/signals'
import { Refusal, call, uid } from './api'
import { all, erase, write } from './db'
import type { Problem } from './types'

export interface Deed {
  id: string; path: string; body: unknown; person: string
  at: number // Unix ms on this device
  tries: number
  alarm: boolean // raises an alarm: goes before everything else
  quiet: boolean // nobody needs to know about it: receipts, silent alarms
  within: number // ms after which it is dropped unsent, 0 for never: a drill must not start an hour later
  fresh?: number // Unix ms: when somebody said that this old alarm is still needed
  told?: string // what the deed is, for sentences about it
}
export interface Refused { id: string; deed: Deed; problem: Problem | null } // null: its time ran out

export const queue = signal<readonly Deed[]>([]) // not yet accepted, oldest first
export const refusals = signal<readonly Refused[]>([])
export const signedOut = signal(false)

const accepted = new Set<(d: Deed, answer: unknown) => void>()
export function onAccepted(f: (d: Deed, answer: unknown) => void) { accepted.add(f) }

let person = ''
const busy = new Set<string>()
const known = new Set<string>() // every deed that this page has held: one that was just sent is not taken up again
let timer = 0, misses = 0

// identify says whose phone this is. Deeds of somebody who used it before are never sent in another name.
export async function identify(who: string) {
  person = who
  const kept = (await all<Deed>('outbox')).filter((d) => !known.has(d.id))
  for (const d of kept) if (d.person !== who && Date.now() - d.at > 24 * 3600e3) void erase('outbox', d.id)
  const mine = kept.filter((d) => d.person === who)
  for (const d of mine) known.add(d.id)
  if (mine.length) queue.value = [...mine, ...queue.value].sort((a, b) => a.at - b.at)
  flush()
}

export const raised = (id: string) => `@${id}`

export function send(path: string, body: unknown = {}, how: Partial<Pick<Deed, 'alarm' | 'quiet' | 'within' | 'told'>> = {}): Deed {
  const last = queue.value.at(-1)?.at ?? 0
  const d: Deed = { id: uid(), path, body, person, at: Math.max(Date.now(), last + 0.001), tries: 0, alarm: false, quiet: false, within: 0, ...how }
  known.add(d.id)
  queue.value = [...queue.value, d]
  void write('outbox', d)
  misses = 0
  flush()
  return d
}

// recall takes back a deed that was never tried. It answers whether it could.
export function recall(id: string): boolean {
  const d = queue.value.find((q) => q.id === id)
  if (!d || d.tries > 0) return false
  remove(d)
  return true
}

// An alarm that lay unsent for so long, ms, is not sent before somebody says that it is still needed: the danger may be over.
const staleAfter = 30 * 60_000
export const stale = (d: Deed) => d.alarm && Date.now() - (d.fresh ?? d.at) > staleAfter
export function allow(id: string) {
  queue.value = queue.value.map((d) => (d.id === id ? { ...d, fresh: Date.now() } : d))
  flush()
}

export function forget(id: string) { refusals.value = refusals.value.filter((r) => r.id !== id) }

// lane is what must stay in order: an alarm and everything that follows it.
function lane(d: Deed): string { return d.alarm ? d.id : d.path.match(/\/(?:incidents|groups|devices)\/@?([^/]+)/)?.[1] ?? d.path }

export function flush() {
  clearTimeout(timer); timer = 0
  if (!person) return
  const waiting = queue.value.filter((d) => d.person === person)
  const next = new Map<string, Deed>()
  for (const d of [...waiting.filter((d) => d.alarm), ...waiting.filter((d) => !d.alarm)]) if (!next.has(lane(d))) next.set(lane(d), d)
  for (const [name, d] of next) if (!busy.has(name) && !stale(d)) void carry(name, d)
}

async function carry(name: string, d: Deed) {
  busy.add(name)
  const again = await attempt(d)
  busy.delete(name)
  if (!again) return flush()
  misses++
  const wait = Math.min(30_000, 400 * 2 ** Math.min(misses, 7)) * (0.75 + Math.random() / 2)
  timer ||= window.setTimeout(flush, wait)
}

// attempt answers whether the deed must be tried again.
async function attempt(d: Deed): Promise<boolean> {
  if (d.within && Date.now() - d.at > d.within) { refuse(d, null); return false }
  d.tries++
  try {
    const answer = await call<{ id?: string }>('POST', d.path, d.body, d.id, d.body instanceof Blob ? 120_000 : undefined)
    misses = 0; signedOut.value = false
    if (d.alarm && answer?.id) follow(d.id, answer.id)
    remove(d)
    for (const f of accepted) f(d, answer)
    return false
  } catch (e) {
    const status = e instanceof Refusal ? e.problem.status : 0
    if (status === 401) { signedOut.value = true; return true }
    if (!status || status >= 500 || status === 408 || status === 425 || status === 429) { void write('outbox', d); queue.value = [...queue.value]; return true }
    refuse(d, (e as Refusal).problem)
    return false
  }
}

// follow points the deeds that waited for an alarm at its incident.
function follow(deed: string, incident: string) {
  for (const d of queue.value) if (d.path.includes(raised(deed))) { d.path = d.path.replace(raised(deed), incident); void write('outbox', d) }
}

function refuse(d: Deed, problem: Problem | null) {
  remove(d)
  for (const f of queue.value.filter((q) => q.path.includes(raised(d.id)))) remove(f)
  if (!d.quiet || d.alarm) refusals.value = [...refusals.value, { id: d.id, deed: d, problem }]
}

function remove(d: Deed) {
  queue.value = queue.value.filter((q) => q.id !== d.id)
  void erase('outbox', d.id)
}

function wake() { misses = 0; flush() }
addEventListener('online', wake)
document.addEventListener('visibilitychange', () => { if (!document.hidden) wake() })
