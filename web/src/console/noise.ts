// The desk's own sound: the gong while an incident needs the desk, one stroke when an alarm arrives, a dull
// falling pair when the desk has gone deaf. Drills and bell tests are never heard here.
import { computed, effect, signal } from '@preact/signals'
import { audible, once, ring, stop, unlock } from '../lib/gongsound'
import { connection } from '../lib/live'
import { waiting, open } from './desk'

export const on = signal(true) // not remembered: after a reload the desk can be heard again
export const state = computed<'on' | 'off' | 'blocked'>(() => (!on.value ? 'off' : audible.value ? 'on' : 'blocked'))

// needed: an open live incident asks for the desk and the link is alive. A screen that is cut off does not know
// whether an incident still rings, so it does not pretend.
export const needed = computed(() => connection.value !== 'lost' && waiting.value.some((i) => i.desk_sound))

const LOST_EVERY = 15_000 // ms between two reminders that the desk is deaf

export function start() {
  const wake = () => { void unlock() }
  for (const e of ['pointerdown', 'pointerup', 'keydown'] as const) addEventListener(e, wake, { capture: true })
  void unlock() // a kiosk may allow sound without a touch

  effect(() => {
    const sounding = needed.value && on.value && audible.value
    document.documentElement.dataset.sound = state.value
    document.documentElement.dataset.ringing = sounding ? '1' : ''
    if (sounding) ring('alarm'); else stop()
  })

  let timer = 0
  effect(() => {
    clearInterval(timer)
    if (connection.value !== 'lost' || !on.value || !audible.value) return
    once('lost')
    timer = window.setInterval(() => once('lost'), LOST_EVERY)
  })

  let known: Set<string> | null = null
  effect(() => {
    const ids = new Set(open.value.map((i) => i.id)), fresh = known && [...ids].some((id) => !known!.has(id))
    known = ids
    if (fresh && on.peek() && audible.peek() && !needed.peek()) once('notice')
  })
}
