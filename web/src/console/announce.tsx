// What is said aloud to a screen reader: new alarms at once, the rest when there is a pause.
import { effect, signal } from '@preact/signals'
import { t } from '../lib/i18n'
import { incidents } from '../lib/live'
import type { Incident } from '../lib/types'
import { calmly } from './bits'
import { current, groupOf, waiting } from './desk'
import { stateWord } from './list'
import { live, waits } from './order'
import { area, homeName, kind, where } from './place'
import { say } from './say'

const urgent = signal(''), polite = signal('')

interface Seen { need: Set<string>; origins: number; closed: boolean }
const seenOf = (i: Incident): Seen => ({ need: new Set(i.homes.filter((h) => h.answer === 'need_help').map((h) => h.home)), origins: i.origins.length, closed: !!i.closed })

// changes says in sentences what happened between two looks at the world.
function changes(before: Map<string, Seen>, now: readonly Incident[]): { urgent: string[]; polite: string[] } {
  const u: string[] = [], p: string[] = [], fresh = now.filter((i) => !before.has(i.id) && !i.closed)
  const loud = fresh.filter(waits)
  if (loud.length > 2) u.push(say('say.many', { n: loud.length }))
  else for (const i of loud) u.push(say(i.silent ? 'say.silent' : 'say.new', { kind: kind(i), home: where(i), group: area(groupOf(i.group)) }))
  for (const i of fresh) if (!live(i)) p.push(say('say.drill', { mode: t(i.mode), group: groupOf(i.group)?.name }))
  for (const i of now) {
    const b = before.get(i.id)
    if (!b || !live(i)) continue
    for (const h of i.homes) if (h.answer === 'need_help' && !b.need.has(h.home)) u.push(say('say.help', { home: homeName(h.home) }))
    if (i.origins.length > b.origins && !i.closed) u.push(say('say.spread', { code: i.code, home: homeName(i.origins.at(-1)!.home) }))
    if (i.closed && !b.closed) p.push(say('say.closed', { code: i.code }))
  }
  return { urgent: u, polite: p }
}

export function start() {
  let before: Map<string, Seen> | null = null
  calmly(() => incidents.value, () => {
    const now = incidents.peek()
    if (before) { const c = changes(before, now); if (c.urgent.length) urgent.value = c.urgent.slice(0, 3).join(' '); if (c.polite.length) polite.value = c.polite.slice(0, 3).join(' ') }
    before = new Map(now.map((i) => [i.id, seenOf(i)]))
  })
  let last = ''
  effect(() => { const i = current.value; if (i && i.id !== last) { if (last) polite.value = say('say.sel', { kind: kind(i), home: where(i), state: stateWord(i) }); last = i.id } })
  effect(() => { const n = waiting.value.length; document.title = (n ? `(${n}) ` : '') + say('app.title') })
}

export const Voice = () => <><p class="vh" role="alert" id="urgent">{urgent}</p><p class="vh" role="status" id="polite">{polite}</p></>
