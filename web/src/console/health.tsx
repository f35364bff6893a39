// Channel health: one chip per thing that can fail, in words; a click says what to do.
import { computed, signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { health, incidents, now } from '../lib/live'
import { hm, hms, ms } from '../lib/time'
import type { Health } from '../lib/types'
import { homeName } from './place'
import { groupOf, pane, show } from './desk'
import { Sign } from './icons'
import { say } from './say'

// STALE is how old an audit may be; the server checks every 10 s.
const STALE = 30_000 // ms

interface Chip { id: string; icon: string; name: string; value: string; bad: boolean; body: ComponentChildren }

// bad lists what is wrong in words, for the handover.
export const wrong = computed(() => chips.value.filter((c) => c.bad).map((c) => `${c.name} ${c.value}`))

const auditOld = (h: Health) => now.value - ms(h.audit.at) > STALE

const chips = computed<Chip[]>(() => {
  const h = health.value
  if (!h) return []
  const gone = (h.hubs ?? []).filter((x) => !x.online), faults = h.audit.violations ?? []
  const old = auditOld(h), audit = !h.audit.ok || old
  return [
    { id: 'devices', icon: 'sound', name: say('h.devices'), value: `${h.devices.online}/${h.devices.total}`, bad: h.devices.offline > 0, body: <Devices h={h} /> },
    { id: 'hubs', icon: 'wifi', name: say('h.hubs'), value: gone.length ? say('h.hubsOff', { n: gone.length }) : `${(h.hubs ?? []).length}`, bad: gone.length > 0, body: <Hubs h={h} /> },
    { id: 'mqtt', icon: 'chip', name: say('h.mqtt'), value: String(h.mqtt.clients), bad: false, body: <p>{say('h.mqtt.ok', { n: h.mqtt.clients })}</p> },
    ...(h.journal.ok && !h.journal.set_aside && h.clock.ok && !audit
      ? [{ id: 'server', icon: 'disk', name: say('h.server'), value: say('h.ok'), bad: false, body: <><Journal h={h} /><Jump h={h} /><Audit h={h} old={old} /></> }]
      : [
        { id: 'journal', icon: 'disk', name: say('h.journal'), value: !h.journal.ok ? say('h.stuck') : h.journal.set_aside ? say('h.aside', { n: h.journal.set_aside }) : say('h.ok'), bad: !h.journal.ok || !!h.journal.set_aside, body: <Journal h={h} /> },
        { id: 'clock', icon: 'clock', name: say('h.clock'), value: h.clock.ok ? say('h.ok') : say('h.jumped'), bad: !h.clock.ok, body: <Jump h={h} /> },
        { id: 'audit', icon: 'shield', name: say('h.audit'), value: old ? say('h.stale') : h.audit.ok ? say('h.ok') : say('h.wrong', { n: faults.length }), bad: audit, body: <Audit h={h} old={old} /> },
      ]),
  ]
})

const Devices = ({ h }: { h: Health }) => <>
  <p>{say('h.devices.ok', { online: h.devices.online, total: h.devices.total })}</p>
  {h.devices.offline > 0 && <p class="todo">{say('h.devices.todo', { offline: h.devices.offline })}</p>}
  <button type="button" class="sm" onClick={() => { opened.value = ''; pane.value = 'groups' }}><Sign n="find" />{say('nav.groups')}</button>
</>

function Hubs({ h }: { h: Health }) {
  const all = h.hubs ?? [], gone = all.filter((x) => !x.online)
  return <>
    <p>{!all.length ? say('h.hubs.none') : gone.length ? '' : say('h.hubs.ok')}</p>
    <ul>{[...gone, ...all.filter((x) => x.online)].slice(0, 12).map((x) => <li key={x.hub} class={x.online ? 'ok' : 'warn'}><Sign n={x.online ? 'check' : 'x'} />{say(x.online ? 'h.hub.on' : 'h.hub.off', { hub: x.hub, t: x.since ? hm(x.since) : '' })}</li>)}</ul>
    {gone.length > 0 && <p class="todo">{say('h.hubs.todo')}</p>}
  </>
}

const Journal = ({ h }: { h: Health }) => <><p class={h.journal.ok ? undefined : 'todo'}>{h.journal.ok ? say('h.journal.ok') : say('h.journal.todo', { t: h.journal.since ? hm(h.journal.since) : '', n: h.journal.waiting })}</p>{!!h.journal.set_aside && <p class="todo">{say('h.aside.todo', { n: h.journal.set_aside })}</p>}</>
const Jump = ({ h }: { h: Health }) => <p class={h.clock.ok ? undefined : 'todo'}>{h.clock.ok ? say('h.clock.ok') : say('h.clock.todo', { n: Math.abs(Math.round(h.clock.jumped_seconds)) })}</p>

function Audit({ h, old }: { h: Health; old: boolean }) {
  if (old) return <p class="todo">{say('h.audit.stale', { t: hms(h.audit.at) })}</p>
  if (h.audit.ok) return <p>{say('h.audit.ok', { t: hms(h.audit.at) })}</p>
  return <>
    <ul>{(h.audit.violations ?? []).slice(0, 8).map((v, n) => {
      const i = incidents.value.find((x) => x.id === v.incident)
      return <li key={n} class="warn"><Sign n="sos" /><span>{say(v.text_key) || say('rule.' + v.rule) || say('rule.other', { rule: v.rule })}{' '}<small>{groupOf(v.group)?.name ?? homeName(v.group)}</small>{i && <button type="button" class="lk" onClick={() => { opened.value = ''; show(i.id) }}>{say('h.audit.open', { code: i.code })}</button>}</span></li>
    })}</ul>
    <p class="todo">{say('h.audit.todo')}</p>
  </>
}

const opened = signal('')

export function Chips() {
  const box = useRef<HTMLUListElement>(null)
  useEffect(() => {
    const away = (e: Event) => {
      if (!opened.value) return
      if (e instanceof KeyboardEvent) { if (e.key === 'Escape') { box.current?.querySelector<HTMLElement>(`[data-chip=${opened.value}]`)?.focus(); opened.value = '' } } else if (!box.current?.contains(e.target as Node)) opened.value = ''
    }
    addEventListener('pointerdown', away); addEventListener('keydown', away)
    return () => { removeEventListener('pointerdown', away); removeEventListener('keydown', away) }
  }, [])
  if (!health.value) return <p class="nohealth">{say('h.none')}</p>
  return <ul ref={box} class="health" aria-label={say('h.title')}>{chips.value.map((c) => (
    <li key={c.id} class={c.bad ? 'warn' : 'ok'}>
      <button type="button" data-chip={c.id} aria-expanded={opened.value === c.id} aria-controls={opened.value === c.id ? 'pop-' + c.id : undefined} onClick={() => (opened.value = opened.value === c.id ? '' : c.id)}>
        <Sign n={c.bad ? 'sos' : c.icon} /><span class="cn">{c.name}</span> <b class="num">{c.value}</b>
      </button>
      {opened.value === c.id && <div class="pop" id={'pop-' + c.id} role="group" aria-label={c.name}><h2>{c.name}</h2>{c.body}</div>}
    </li>))}</ul>
}
