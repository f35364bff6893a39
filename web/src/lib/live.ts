// What this screen knows, kept true by one stream. Boot: the state that the page carries, else the one kept on the phone, then the server's.
import { computed, effect, signal } from '@preact/signals'
import { Refusal, get } from './api'
import { read, write } from './db'
import * as outbox from './outbox'
import { ms } from './time'
import type { EmergencyNumber, Group, Health, Incident, Lang, Me, State } from './types'

export type Connection = 'connecting' | 'live' | 'lost'

export const me = signal<Me | null>(null)
export const groups = signal<readonly Group[]>([])
export const incidents = signal<readonly Incident[]>([])
export const health = signal<Health | null>(null)
export const numbers = signal<readonly EmergencyNumber[]>([])
export const map = signal<State['map']>({ style_url: '', has_boundaries: false })
export const demo = signal(false)
export const language = signal<Lang>('vi') // of the server's sentences for this person
export const confirmed = signal(false) // the server said so in this session; until then it is what this phone remembers
export const connection = signal<Connection>('connecting')
export const hint = signal<unknown>(null) // something of the group's channel changed, or the stream began anew: ask for it
export const lostAt = signal(0) // server time of the last event before the connection was lost, Unix ms
export const now = signal(Date.now()) // server time, Unix ms, moves once a second

export const group = computed(() => groups.value.find((g) => g.id === me.value?.group) ?? null)
export const homeOf = (id: string) => { for (const g of groups.value) { const h = g.homes.find((x) => x.id === id); if (h) return h } return null }
export const groupOf = (id: string) => groups.value.find((g) => g.id === id) ?? null

// Silence longer than this is a lost connection; the server pings every 2 s. Said within 5 s.
const silence = 4500

let skew = 0 // server clock minus this phone's, ms
export const serverNow = () => Date.now() + skew

export interface Hooks {
  keep?: boolean // keep the last state on this device, for opening without a server
  onIncident?: (i: Incident, before: Incident | undefined) => void
  onCalm?: (group: string) => void
  onSignedOut?: () => void
}
let hooks: Hooks = {}

// start answers once there is something to show: true, or false when neither page, phone nor server had a state.
export async function start(h: Hooks = {}): Promise<boolean> {
  hooks = h
  setInterval(() => { if (!document.hidden) now.value = serverNow() }, 1000)
  outbox.onAccepted((_, answer) => { if (isIncident(answer)) take(answer) })
  const inlined = document.getElementById('boot')?.textContent?.trim()
  if (inlined) { const s: State = JSON.parse(inlined); setClock(s.now); place = s.seq ?? ''; adopt(s) } else if (h.keep) await remember()
  if (h.keep) keepState()
  if (me.value) { listen(); return true }
  const got = await refresh()
  listen()
  return got
}

// remember shows what was known when the phone was last here. An alarm of long ago is not shown as if it rang now.
const alarmKeeps = 10 * 60_000 // ms
async function remember() {
  const s = await read<State>('kept', 'state')
  if (s) adopt({ ...s, incidents: s.incidents.filter((i) => i.closed || Date.now() - ms(s.now) < alarmKeeps) }, true)
}

// refresh fetches the whole state. Hints that arrive meanwhile are laid on top of it.
let meanwhile: (() => void)[] | null = null, fetching: Promise<boolean> | null = null
export const refresh = () => (fetching ??= fetchState().finally(() => { fetching = null }))

async function fetchState(): Promise<boolean> {
  meanwhile = []
  try {
    const s = await get<State>('/api/v1/state')
    setClock(s.now)
    adopt(s)
    return true
  } catch (e) {
    if (e instanceof Refusal && e.problem.status === 401) hooks.onSignedOut?.()
    return false
  } finally {
    const late = meanwhile ?? []
    meanwhile = null
    for (const f of late) f()
  }
}

function adopt(s: State, remembered = false) {
  if (!remembered) confirmed.value = true
  me.value = s.me; demo.value = s.demo; language.value = s.lang; numbers.value = s.numbers; map.value = s.map; health.value = s.health
  groups.value = s.groups ?? []
  const old = incidents.value
  incidents.value = order((s.incidents ?? []).map(whole).map((i) => { const had = old.find((o) => o.id === i.id); return had && had.version > i.version ? had : i }))
  for (const i of incidents.value) hooks.onIncident?.(i, old.find((o) => o.id === i.id))
  void outbox.identify(s.me.person)
}

function take(i: Incident) {
  whole(i)
  const had = incidents.value.find((o) => o.id === i.id)
  if (had && had.version >= i.version) return
  incidents.value = order([i, ...incidents.value.filter((o) => o.id !== i.id)])
  performance.mark('incident:' + i.id)
  hooks.onIncident?.(i, had)
}

function takeGroup(g: Group) { groups.value = groups.value.some((o) => o.id === g.id) ? groups.value.map((o) => (o.id === g.id ? g : o)) : [...groups.value, g] }

// order: open before closed, real before drill before test, somebody in need first, then the newest.
const rank = (i: Incident) => (i.closed ? 8 : 0) + (i.mode === 'live' ? 0 : i.mode === 'drill' ? 2 : 4) + (i.need_help > 0 ? 0 : 1)
function order(l: Incident[]) { return l.sort((a, b) => rank(a) - rank(b) || ms(b.opened_at) - ms(a.opened_at)) }

// whole fills lists that the server left out because they are empty.
function whole(i: Incident): Incident {
  i.origins ??= []; i.homes ??= []; i.silences ??= []; i.timeline ??= []
  for (const r of i.homes) r.people ??= []
  return i
}

function isIncident(x: unknown): x is Incident { return !!x && typeof x === 'object' && 'version' in x && 'origins' in x }

function setClock(server: string) {
  const d = ms(server) - Date.now()
  if (Math.abs(d - skew) > 250) skew = d // less is the network, not the clock
  now.value = serverNow()
}

// The stream. The browser reconnects by itself and says where it stopped; when it gave up, or went silent, a new one is opened and the state fetched.
let stream: EventSource | undefined, watch = 0, retry = 0, fails = 0, heard = Date.now()
let place = '' // id of the last event, or of the page's own state: where the stream goes on
let greeted = false

function listen() {
  stream?.close(); clearTimeout(retry)
  const es = (stream = new EventSource('/api/v1/stream' + (place && '?last_event_id=' + encodeURIComponent(place))))
  const unsure = !place
  const on = (name: string, f: (data: any) => void) => es.addEventListener(name, (e) => {
    alive()
    place = (e as MessageEvent).lastEventId || place
    f(JSON.parse((e as MessageEvent).data || '{}'))
  })
  const later = (f: () => void) => (meanwhile ? meanwhile.push(f) : f())
  // Only the first stream goes on exactly from the page's state. After a gap everything is asked for: groups and health are not replayed.
  on('hello', (d) => { setClock(d.now); if (greeted || unsure) void refresh(); greeted = true; hint.value = d })
  on('incident', (i: Incident) => later(() => take(i)))
  on('group', (g: Group) => later(() => takeGroup(g)))
  on('health', (x: Health) => { health.value = x })
  on('chat', (h) => { hint.value = h })
  on('calm', (c: { group: string }) => hooks.onCalm?.(c.group))
  on('reload', () => void refresh())
  on('ping', (d) => setClock(d.now))
  es.onerror = () => { if (es.readyState === EventSource.CLOSED) again() }
  guard()
}

function alive() {
  heard = Date.now(); fails = 0
  if (connection.value !== 'live') connection.value = 'live'
  guard()
}

function guard() { clearTimeout(watch); watch = window.setTimeout(lose, silence) }

function lose() {
  if (connection.value !== 'lost') { lostAt.value = heard + skew; connection.value = 'lost' }
  again()
}

// again opens a new stream, soon at first and then every 5 s at most; a session that has ended is noticed by refresh.
function again() {
  stream?.close(); clearTimeout(watch); clearTimeout(retry)
  if (connection.value !== 'lost') watch = window.setTimeout(lose, Math.max(0, silence - (Date.now() - heard)))
  const wait = Math.min(5000, 300 * 2 ** fails++) * (0.8 + Math.random() * 0.4)
  retry = window.setTimeout(() => { if (fails > 1) void refresh(); listen() }, wait)
}

function wake() {
  if (!stream) return
  if (Date.now() - heard > silence) { fails = 0; lose() }
}
addEventListener('online', () => { fails = 0; if (connection.value !== 'live') again() })
addEventListener('offline', lose)
addEventListener('pageshow', (e) => { if (e.persisted) wake() })
document.addEventListener('visibilitychange', () => { if (!document.hidden) { now.value = serverNow(); wake() } })

// keepState writes what is known to the phone, at most once a second.
function keepState() {
  let due = 0
  const save = () => {
    due = 0
    if (me.value) void write('kept', { now: new Date(serverNow()).toISOString(), seq: '', version: '', me: me.value, demo: demo.value, lang: language.value, numbers: numbers.value, groups: groups.value, incidents: incidents.value, health: null, map: map.value }, 'state')
  }
  effect(() => { if (me.value && groups.value && incidents.value) due ||= window.setTimeout(save, 1000) })
}
