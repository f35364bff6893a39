// Small parts used all over the desk.
import { effect, useComputed, type ReadonlySignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { now } from '../lib/live'
import { hms, mmss, ms } from '../lib/time'
import type { Incident } from '../lib/types'
import { kindIcon } from '../lib/ui'
import { Sign } from './icons'
import { say, span } from './say'

// calmly runs act once for many changes that come together: what read touches decides when.
export function calmly(read: () => unknown, act: () => void, wait = 30): () => void {
  let due = 0
  const undo = effect(() => { read(); due ||= window.setTimeout(() => { due = 0; act() }, wait) })
  return () => { clearTimeout(due); undo() }
}

// Ticking text: only the text node changes each second, nothing is rendered again.
const Tick = ({ of }: { of: ReadonlySignal<string> }) => <>{of}</>

// Since is a running clock: 02:21.
export function Since({ at }: { at: string }) {
  return <Tick of={useComputed(() => mmss((now.value - ms(at)) / 1000))} />
}

// Until is the time that is left, in words; '' once it is over.
export function Until({ at, text }: { at: string; text: (left: string, over: boolean) => string }) {
  return <Tick of={useComputed(() => { const s = (ms(at) - now.value) / 1000; return text(span(s), s <= 0) })} />
}

export const Clock = () => <time class="clock num"><Tick of={useComputed(() => hms(now.value))} /></time>

export const Kbd = ({ k }: { k: string }) => <kbd aria-hidden="true">{k}</kbd>

// KindMark is the sign of a danger; striped when it is only a drill.
export function KindMark({ i, big }: { i: Incident; big?: boolean }) {
  return <span class={'kic' + (big ? ' lg' : '') + (i.mode === 'live' ? '' : ' drill')} aria-hidden="true"><Sign n={kindIcon[i.category]} size={big ? 28 : 22} /></span>
}

// Dialog is modal: it takes the focus, gives it back, and closes on Escape. Its close event comes late: one that has
// made way for another dialog must not shut that one.
export function Dialog({ id, label, onClose, children, wide }: { id: string; label: string; onClose: () => void; children: ComponentChildren; wide?: boolean }) {
  const el = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const d = el.current!, back = document.activeElement as HTMLElement | null
    d.showModal()
    d.querySelector<HTMLElement>('[data-first]')?.focus()
    return () => { if (d.open) d.close(); if (back?.isConnected) back.focus() }
  }, [])
  return <dialog ref={el} id={id} class={'dlg' + (wide ? ' wide' : '')} aria-label={label} onCancel={(e) => { e.preventDefault(); onClose() }} onClose={() => { if (el.current) onClose() }} onClick={(e) => { if (e.target === el.current) onClose() }}>
    <div class="dlg-in">{children}</div>
  </dialog>
}

export const CloseX = ({ onClick }: { onClick: () => void }) => <button type="button" class="ib x" aria-label={say('h.close')} onClick={onClick}><Sign n="x" size={20} /></button>
