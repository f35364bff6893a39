import { useRef } from 'preact/hooks'
import type { ComponentChildren } from 'preact'
import { shake, shakes } from './touch'

// HoldFor is how long the gong is held, ms. A tap is a slip; two seconds are not.
export const HoldFor = 2000
const tapFor = 600 // ms by the clock of the touch itself: a busy phone handles a short tap late

// HoldButton raises only when it is held: by a finger, by Space or Enter. Letting go, a lost finger or a lost focus aborts.
// A short tap, or the click of an assistive tool, asks instead.
export function HoldButton({ id, describedBy, onHeld, onTap, onTouch, children }: { id: string; describedBy?: string; onHeld: () => void; onTap: () => void; onTouch?: () => void; children: ComponentChildren }) {
  const el = useRef<HTMLButtonElement>(null), held = useRef({ timer: 0, since: 0 })
  const down = (e: Event, finger?: number) => {
    if (held.current.timer) return
    onTouch?.()
    el.current!.dataset.on = ''
    shake(shakes.holding)
    // One more turn of the loop: on a busy phone the lift of the finger may be waiting behind this timer, and it came first.
    const struck = () => { letGo(); guard(finger); onHeld() }
    held.current = { since: e.timeStamp, timer: window.setTimeout(() => { held.current.timer = window.setTimeout(struck) }, HoldFor) }
  }
  const letGo = () => { clearTimeout(held.current.timer); held.current.timer = 0; if (el.current) delete el.current.dataset.on }
  const up = (tap?: Event) => {
    if (!held.current.timer) return
    letGo()
    shake(0)
    if (tap && tap.timeStamp - held.current.since < tapFor) onTap()
  }
  const key = (e: KeyboardEvent) => e.key === ' ' || e.key === 'Enter'
  return (
    <button ref={el} type="button" class="gong" id={id} aria-describedby={describedBy}
      onPointerDown={(e) => { if (e.button === 0) { el.current!.setPointerCapture?.(e.pointerId); down(e, e.pointerType === 'mouse' ? undefined : e.pointerId) } }} onPointerUp={up} onPointerCancel={() => up()}
      onContextMenu={(e) => e.preventDefault()} onKeyDown={(e) => { if (key(e)) { e.preventDefault(); if (!e.repeat) down(e) } }} onKeyUp={(e) => { if (key(e)) { e.preventDefault(); up(e) } }} onBlur={() => up()}
      onClick={(e) => { if (e.detail === 0 && !held.current.timer) onTap() }}>
      <svg class="ring" viewBox="0 0 240 240" aria-hidden="true"><circle cx="120" cy="120" r="112" class="trk" /><circle cx="120" cy="120" r="112" class="prg" pathLength={1} /></svg>
      <span class="face">{children}</span>
    </button>)
}

// guard: the finger that struck lifts over another screen by then, and the browser would press what lies there now, such as a call.
function guard(finger?: number) {
  if (finger === undefined) return
  const stop = new AbortController()
  const o = { capture: true, signal: stop.signal }
  addEventListener('click', (e) => { if (((e as PointerEvent).pointerId ?? finger) === finger) { e.preventDefault(); e.stopPropagation() } }, o)
  addEventListener('pointerdown', () => stop.abort(), o) // the next touch is meant
}
