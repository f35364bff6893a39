import { useRef } from 'preact/hooks'
import type { ComponentChildren } from 'preact'
import { shake, shakes } from './touch'

// HoldFor is how long the gong is held, ms. A tap is a slip; two seconds are not.
export const HoldFor = 2000

// HoldButton raises only when it is held: by a finger, by Space or Enter. Letting go, a lost finger or a lost focus aborts.
// A short tap, or the click of an assistive tool, asks instead.
export function HoldButton({ id, describedBy, onHeld, onTap, onTouch, children }: { id: string; describedBy?: string; onHeld: () => void; onTap: () => void; onTouch?: () => void; children: ComponentChildren }) {
  const el = useRef<HTMLButtonElement>(null), held = useRef({ timer: 0, since: 0 })
  const down = (finger?: number) => {
    if (held.current.timer) return
    onTouch?.()
    el.current!.dataset.on = ''
    shake(shakes.holding)
    held.current = { since: performance.now(), timer: window.setTimeout(() => { let_go(); guard(finger); onHeld() }, HoldFor) }
  }
  const let_go = () => { clearTimeout(held.current.timer); held.current.timer = 0; if (el.current) delete el.current.dataset.on }
  const up = (tapped: boolean) => {
    if (!held.current.timer) return
    let_go()
    shake(0)
    if (tapped && performance.now() - held.current.since < 450) onTap()
  }
  const key = (e: KeyboardEvent) => e.key === ' ' || e.key === 'Enter'
  return (
    <button ref={el} type="button" class="gong" id={id} aria-describedby={describedBy}
      onPointerDown={(e) => { if (e.button === 0) { el.current!.setPointerCapture?.(e.pointerId); down(e.pointerType === 'mouse' ? undefined : e.pointerId) } }} onPointerUp={() => up(true)} onPointerCancel={() => up(false)}
      onContextMenu={(e) => e.preventDefault()} onKeyDown={(e) => { if (key(e)) { e.preventDefault(); if (!e.repeat) down() } }} onKeyUp={(e) => { if (key(e)) { e.preventDefault(); up(true) } }} onBlur={() => up(false)}
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
