// One-letter keys. They can be turned off (WCAG 2.1.4), never work while somebody types, and are understood
// behind Vietnamese keyboards too: after A, Telex turns S into "á" before the page sees it.
import { effect, signal } from '@preact/signals'

const KEPT = 'keng.desk.keys'
export const letters = signal(read() !== 'off')
function read() { try { return localStorage.getItem(KEPT) } catch { return null } }
effect(() => { try { localStorage.setItem(KEPT, letters.value ? 'on' : 'off') } catch { /* private window: chosen anew each time */ } })

const telex: Record<string, string> = { '\u0301': 's', '\u0300': 'f', '\u0309': 'r', '\u0303': 'x', '\u0323': 'j', '\u0302': '', '\u0306': 'w', '\u031b': 'w' }

// letter is the key that was meant: 'a' to 'z', '?', '/', or the name of the key.
export function letter(e: { key: string; code: string }): string {
  const k = e.key
  if (k.length > 1 && k !== 'Process' && k !== 'Unidentified' && k !== 'Dead') return k
  if (/^[a-z]$/i.test(k)) return k.toLowerCase()
  if (k === 'đ' || k === 'Đ') return 'd'
  const [base, ...marks] = k.length === 1 ? k.normalize('NFD') : ''
  if (marks.length && /[a-z]/i.test(base)) { const last = telex[marks[marks.length - 1]]; return last === '' || last === undefined ? base.toLowerCase() : last }
  if (/^Key[A-Z]$/.test(e.code)) return e.code[3].toLowerCase()
  return k
}

const inField = (t: EventTarget | null) => t instanceof Element && !!t.closest('input:not([type=checkbox],[type=radio],[type=button]),textarea,select,[contenteditable]')

export type Keymap = Record<string, (e: KeyboardEvent) => void | false>

// listen calls the deed of a key. A deed that returns false did nothing, and the key keeps its own meaning. While
// busy, a dialog or a field that was just asked for is on its way: what is typed then was meant for it, and is no act.
export function listen(map: Keymap, busy: () => boolean) {
  const on = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || inField(e.target) || busy()) return
    const k = letter(e), single = k.length === 1
    const deed = map[k]
    if (!deed || (single && !letters.value)) return
    if (e.repeat && k !== 'j' && k !== 'k' && !k.startsWith('Arrow')) return
    if (k.startsWith('Arrow') && e.target instanceof Element && e.target.closest('[data-arrows],.maplibregl-map,[role=tablist],[role=radiogroup]')) return
    if (deed(e) !== false) e.preventDefault()
  }
  addEventListener('keydown', on)
  return () => removeEventListener('keydown', on)
}
