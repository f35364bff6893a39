// The map pane. It is never the only carrier of anything: what it cannot show it says in words.
import { computed, signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { groups, map as conf } from '../lib/live'
import { current, groupOf, pane, waiting } from './desk'
import { Sign } from './icons'
import { say } from './say'

const FEW = 6 // more waiting alarms than this do not pulse all at once

export type MapState = 'loading' | 'ready' | 'nowebgl' | 'failed'
export const state = signal<MapState>('loading')
export const baseFailed = signal(false)
export const boundsFailed = signal(false)
export const near = signal(false) // close enough to see single homes
export const looks = signal(0) // counts M: each one asks the map to look at the incident, then at the whole area

// focus is the key M: the map comes forward, takes the keyboard, and looks near or far.
export function focus() {
  pane.value = 'map'
  looks.value++
  requestAnimationFrame(() => document.querySelector<HTMLElement>('.mapc canvas')?.focus({ preventScroll: true }))
}

const missing = computed(() => {
  const out: string[] = []
  const i = current.value, g = i && groupOf(i.group)
  if (!conf.value.has_boundaries || boundsFailed.value) out.push(say('m.nobounds'))
  if (baseFailed.value) out.push(say('m.nobase'))
  const unplaced = groups.value.reduce((n, x) => n + x.homes.filter((h) => !h.placed).length, 0)
  if (g && g.homes.length > 0 && g.homes.every((h) => !h.placed)) out.push(say('m.nohomes'))
  else if (unplaced) out.push(say('m.noplaces', { n: unplaced }))
  return out
})

export function MapPane() {
  const el = useRef<HTMLDivElement>(null)
  useEffect(() => {
    let gone = false, stop = () => {}
    state.value = 'loading'
    void import('./mapview').then((m) => m.mount(el.current!)).then((s) => { if (gone) s(); else stop = s }, () => { if (!gone) state.value = 'failed' })
    return () => { gone = true; stop() }
  }, [])
  const s = state.value
  return <div class="map" data-state={s}>
    <div ref={el} class={'mapc' + (near.value ? ' near' : '') + (waiting.value.length <= FEW ? ' few' : '')} data-ready={s === 'ready' ? '1' : undefined} />
    {s !== 'ready' && <p class="mapmsg" role="status"><Sign n="map" size={28} /><span>{s === 'loading' ? say('m.loading') : say('m.' + s)}</span></p>}
    {s === 'ready' && <>
      <button type="button" class="sm look" onClick={focus}><Sign n={near.value ? 'map' : 'pin'} size={16} />{say(near.value ? 'm.far' : 'm.near')}</button>
      <p class="mleg"><span><i class="k-pin" />{say('m.pin')}</span><span><i class="k-ok" />{say('m.group.ok')}</span><span><i class="k-bad" />{say('m.group.bad')}</span></p>
    </>}
    {missing.value.length > 0 && s !== 'nowebgl' && s !== 'failed' && <ul class="mnote">{missing.value.map((x) => <li key={x}>{x}</li>)}</ul>}
  </div>
}
