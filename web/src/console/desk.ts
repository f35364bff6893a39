// What the officer looks at: which list, which incident, which pane.
import { computed, effect, signal } from '@preact/signals'
import { incidents, me } from '../lib/live'
import type { Group, Home, Incident } from '../lib/types'
import { groups } from '../lib/live'
import { before, byEnd, live, open as isOpen, steady, waits } from './order'

export type Tab = 'open' | 'drill' | 'done'
export type Pane = 'map' | 'groups' | 'notices' | 'handover' | 'rights' | 'roles'

export const tab = signal<Tab>('open')
export const pane = signal<Pane>('map')
export const picked = signal('') // id of the incident on the right, '' for none
export const held = signal(false) // the pointer is over the list

// What is asked in a dialog, before it is done.
export type Ask = { what: 'close' | 'kind'; id: string } | { what: 'behalf'; id: string; home: string } | { what: 'keys' } | { what: 'account' } | null
export const asking = signal<Ask>(null)
export function ask(a: Ask) { asking.value = a }

const all = computed<Record<Tab, Incident[]>>(() => {
  const o: Incident[] = [], d: Incident[] = [], done: Incident[] = []
  for (const i of incidents.value) (i.closed ? done : live(i) ? o : d).push(i)
  return { open: o.sort(before), drill: d.sort(before), done: done.sort(byEnd) }
})
export const open = computed(() => all.value.open)
export const counts = computed(() => ({ open: all.value.open.length, drill: all.value.drill.length, done: all.value.done.length }))
export const waiting = computed(() => all.value.open.filter(waits))

// rows is the list as shown: sorted, but still while somebody points at it.
let shownIds: string[] = [], shownTab: Tab = 'open'
export const rows = computed(() => {
  const list = steady(all.value[tab.value], shownIds, held.value && shownTab === tab.value)
  shownIds = list.map((i) => i.id); shownTab = tab.value
  return list
})

export const current = computed(() => incidents.value.find((i) => i.id === picked.value) ?? null)
const pickedId = computed(() => current.value?.id ?? '')
export const isCurrent = (id: string) => pickedId.value === id

export function pick(id: string) { picked.value = id }

// show picks an incident wherever it stands, and brings its list forward.
export function show(id: string) {
  const i = incidents.value.find((x) => x.id === id)
  if (!i) return
  tab.value = i.closed ? 'done' : live(i) ? 'open' : 'drill'
  picked.value = id
}

// step moves up or down the list; from nowhere it goes to the first row.
export function step(by: 1 | -1) {
  const l = rows.value, at = l.findIndex((i) => i.id === picked.value)
  if (!l.length) return
  picked.value = l[at < 0 ? 0 : Math.max(0, Math.min(l.length - 1, at + by))].id
}

// closedHere: incidents that this officer closed; after one of them the next that waits comes by itself. One that
// somebody else closed stays, because a key may be on its way to it.
export const closedHere = new Set<string>()

const typing = () => asking.value !== null || document.activeElement?.matches('input:not([type=checkbox],[type=radio]),textarea,select')

// keepPicked fills an empty right side with what is most urgent. It never takes an open incident away from
// somebody who is reading it: pressing A a moment after a new alarm must not take the wrong one.
export function keepPicked() {
  let known = new Set<string>()
  return effect(() => {
    const urgent = waiting.value, fresh = urgent.find((i) => !known.has(i.id)), now = current.value
    known = new Set(urgent.map((i) => i.id))
    if (!now) { const first = all.value.open[0]; if (first) picked.value = first.id; return }
    if (typing() || isOpen(now)) return
    const next = fresh ?? (closedHere.has(now.id) ? urgent[0] : undefined)
    if (next) show(next.id)
  })
}

// index of homes and groups, rebuilt only when groups change
const index = computed(() => {
  const g = new Map<string, Group>(), h = new Map<string, Home>()
  for (const x of groups.value) { g.set(x.id, x); for (const y of x.homes) h.set(y.id, y) }
  return { g, h }
})
export const groupOf = (id: string) => index.value.g.get(id) ?? null
export const homeOf = (id: string) => index.value.h.get(id) ?? null
export const mayAct = computed(() => !!me.value && !['auditor', 'admin', 'viewer', 'steering'].includes(me.value.role))
