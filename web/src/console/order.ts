// In which order incidents stand on the desk. Pure, so that it can be reasoned about.
import { ms } from '../lib/time'
import type { Incident } from '../lib/types'

export const live = (i: Incident) => i.mode === 'live'
export const open = (i: Incident) => !i.closed

// waits: the desk has not taken it. A leader's or neighbour's acknowledgement is not the desk's, and a desk that
// fell silent loses it again (desk_sound).
export function waits(i: Incident): boolean {
  if (!live(i) || i.closed) return false
  return i.desk_sound || i.response === 'unacknowledged' || (i.response === 'acknowledged' && i.acknowledged?.role !== 'desk')
}

// before orders: not taken first, then somebody who needs help, then the newest.
export function before(a: Incident, b: Incident): number {
  return Number(waits(b)) - Number(waits(a)) || Number(b.need_help > 0) - Number(a.need_help > 0) || ms(b.opened_at) - ms(a.opened_at) || (a.id < b.id ? 1 : -1)
}

export const byEnd = (a: Incident, b: Incident) => ms(b.closed?.at ?? b.opened_at) - ms(a.closed?.at ?? a.opened_at)

// steady keeps rows where they are while somebody points at them: a row that moves under the pointer is a wrong
// incident silenced. What is new is added at the end until the pointer rests.
export function steady(now: Incident[], shown: readonly string[], held: boolean): Incident[] {
  if (!held) return now
  const by = new Map(now.map((i) => [i.id, i]))
  const kept = shown.flatMap((id) => by.get(id) ?? [])
  return [...kept, ...now.filter((i) => !shown.includes(i.id))]
}
