// What the phone knows of its own group from inside, and how it asks. Fetched when somebody looks, and again after every deed.
import { signal } from '@preact/signals'
import { Refusal, call, get, uid } from '../lib/api'
import { words } from '../lib/i18n'
import { me } from '../lib/live'
import { vi } from './own.vi'

export const o = words(vi, () => import('./own.en'))

export interface Adult { person: string; name: string; role: string; came: boolean; skills: string[] }
export interface Household { id: string; name: string; address: string; placed: boolean; signed: boolean; adults: Adult[] }
export interface Charter { version: number; text: string; at: string; signed: number; mine: { by: string; at: string } | null; missing: string[] }
export interface Term { id: string; person: string; name: string; role: 'leader' | 'deputy'; from: string; until: string; holds: boolean }
export interface Neighbour { group: string; name: string; neighbourhood: string; state: '' | 'joined' | 'asked' | 'asks' }
export interface Gear { id: string; home: string; kind: string; label: string; expires: string; days: number | null; state: 'good' | 'soon' | 'expired' }
export interface Inside {
  id: string; name: string; neighbourhood: string; homes: Household[]; least: number; most: number; size_key: string; charter: Charter | null
  terms: Term[]; neighbours: Neighbour[]; nearby: Neighbour[]; assembly: { text: string; placed?: boolean } | null; gear: Gear[]; leads: boolean; mine: string[]
}
export interface Letter { name: string; code: string; link: string; qr: string; expires: string }
export interface Note { text: string; openings: { at: string; by: string; role: string }[] }

export const inside = signal<Inside | null>(null)
export const failed = signal('') // why the last deed did not work, in the person's words
export const busy = signal(false)

export async function load() {
  const id = me.value?.group
  if (!id) return
  try { inside.value = await get<Inside>(`/api/v1/groups/${id}`) } catch (e) { if (!inside.value) failed.value = why(e) }
}

export const why = (e: unknown) => (e instanceof Refusal && e.message) || o('noNetwork')

// act does one deed now, with somebody looking; what comes of it is undefined when it failed, and why stands on the screen. After the last
// one there is nothing more to see.
export async function act<T = object>(path: string, body: unknown = {}, { key = uid(), last = false }: { key?: string; last?: boolean } = {}): Promise<T | undefined> {
  if (busy.value) return undefined
  busy.value = true
  failed.value = ''
  try {
    const answer = await call<T>('POST', '/api/v1' + path, body, key)
    if (!last) await load()
    return answer ?? ({} as T)
  } catch (e) { failed.value = why(e); return undefined } finally { busy.value = false }
}

export const group = (rest: string) => `/groups/${me.value?.group}${rest}`

// here is where the phone is, or null when it may not or cannot know.
export function here(): Promise<{ lat: number; lon: number } | null> {
  return new Promise((ok) => {
    if (!navigator.geolocation) return ok(null)
    navigator.geolocation.getCurrentPosition((p) => ok({ lat: +p.coords.latitude.toFixed(6), lon: +p.coords.longitude.toFixed(6) }), () => ok(null), { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 })
  })
}
