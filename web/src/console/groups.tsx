// Groups and devices: who can be heard and who cannot, in one sentence per home.
import { computed, signal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { get } from '../lib/api'
import { t } from '../lib/i18n'
import { groups, me, now } from '../lib/live'
import { dm, hm, ms } from '../lib/time'
import { say as reason, sentence } from '../lib/reason'
import type { Device, Devices, Group, Home } from '../lib/types'
import { HouseGlyph, ago, ready } from '../lib/ui'
import { pane } from './desk'
import { register } from './detail'
import { device } from './events'
import { Sign } from './icons'
import { dial, spoken } from './place'
import { say } from './say'

const Register = register.part((m) => m.Register)

const query = signal(''), only = signal(false), openGroup = signal('')
const fetched = signal<Record<string, Devices | 'failed'>>({})

// fold makes "Hoà", "Hòa" and "hoa" the same, and "đ" a "d".
export const fold = (s: string) => s.normalize('NFD').replace(/\p{M}/gu, '').replace(/đ/gi, 'd').toLowerCase()

const words = computed(() => fold(query.value).split(/\s+/).filter(Boolean))
const hay = computed(() => new Map(groups.value.map((g) => [g.id, { g: fold(`${g.name} ${g.neighbourhood} ${g.commune_name} ${g.leader.name}`), h: new Map(g.homes.map((h) => [h.id, fold(`${h.name} ${h.address}`)])) }])))

interface Hit { group: Group; homes: Home[] }
const hits = computed<Hit[]>(() => groups.value.flatMap((g) => {
  const f = hay.value.get(g.id)!
  const homes = g.homes.filter((h) => (!only.value || h.state !== 'green') && words.value.every((w) => f.g.includes(w) || f.h.get(h.id)!.includes(w)))
  return homes.length || (!only.value && words.value.every((w) => f.g.includes(w))) ? [{ group: g, homes }] : []
}))

// homeReason is the one sentence for a home; a key this screen does not know says whom to ask.
const homeReason = (h: Home) => (h.state === 'green' ? say('home.ready') : sentence(h.reason, '') || say('home.unknownReason'))
const deviceReason = (d: Device) => (d.state === 'ok' ? '' : reason(say, d.reason))

async function load(id: string) {
  try { const d = await get<Devices>(`/api/v1/groups/${encodeURIComponent(id)}/devices`); fetched.value = { ...fetched.value, [id]: d } } catch { fetched.value = { ...fetched.value, [id]: 'failed' } }
}

const when = (at: string) => { const s = (now.peek() - ms(at)) / 1000; return s < 60 ? say('t.justnow') : s < 48 * 3600 ? ago(s) : `${hm(at)} ${dm(at)}` }

function DeviceRow({ d }: { d: Device }) {
  const facts = [d.battery !== null && say('g.battery', { n: d.battery }), d.seen_at ? say('g.seen', { t: when(d.seen_at) }) : say('g.never'), d.proven_at ? say('g.proven', { t: when(d.proven_at) }) : say('g.unproven'), d.bypassed_until && say('g.bypassed', { t: `${hm(d.bypassed_until)} ${dm(d.bypassed_until)}` })].filter(Boolean)
  return <li class={'dev ' + d.state} data-device={d.id} data-state={d.state}><span class="ds"><Sign n={d.state === 'ok' ? 'check' : 'sos'} size={14} />{t('dev_' + d.state)}</span><b>{t('kind_' + d.kind) || say('ev.device')}</b><span class="dim">{facts.join(' · ')}</span>{deviceReason(d) && <span class="why">{deviceReason(d)}</span>}</li>
}

function HomeRow({ h, devices }: { h: Home; devices: Device[] | null }) {
  const s = ready(h, ''), mine = devices?.filter((d) => d.home === h.id)
  return <li class={'hm ' + h.state} data-home={h.id} data-state={h.state}>
    <HouseGlyph look={s.look} icon={s.icon} />
    <div><p><b>{h.name}</b> <span class="dim">{h.address}</span></p>
      <p class="rs"><span class="stt">{t(h.state)}</span>{' '}{homeReason(h)}</p>
    </div>
    <p class="hp">{h.phone ? <a class="sm btn" href={dial(h.phone)}><Sign n="phone" />{spoken(h.phone)}</a> : <span class="dim">{say('r.nophone')}</span>}{h.screens > 0 && <span class="dim">{say('g.screens', { n: h.screens })}</span>}</p>
    {mine && <ul class="devs">{mine.map((d) => <DeviceRow key={d.id} d={d} />)}{!mine.length && <li class="dim">{say('g.nodev')}</li>}</ul>}
  </li>
}

function Strays({ d }: { d: Devices }) {
  return <>
    {d.found.length > 0 && <div class="stray"><h3>{say('g.foundDev')}</h3><ul>{d.found.map((f, n) => <li key={n}><b>{f.name || f.topic}</b> <span>{[device(f.kind), f.model, f.hub].filter(Boolean).join(' · ')}</span> <span class="dim num">{when(f.at)}</span></li>)}</ul></div>}
    {d.unknown.length > 0 && <div class="stray"><h3>{say('g.unknown')}</h3><ul>{d.unknown.map((u, n) => <li key={n}><b>{u.topic}</b> <span>{u.hub} · {say('g.times', { n: u.count })}</span> <span class="dim num">{when(u.at)}</span><code>{u.payload}</code></li>)}</ul></div>}
  </>
}

function GroupCard({ hit, auto }: { hit: Hit; auto: boolean }) {
  const g = hit.group, on = auto || openGroup.value === g.id, got = fetched.value[g.id], r = g.readiness
  useEffect(() => { if (on && !got) void load(g.id) }, [on])
  const devices = got && got !== 'failed' ? got : null
  return <li class="grp" data-group={g.id}>
    <button type="button" class="gh" aria-expanded={on} onClick={() => { openGroup.value = openGroup.value === g.id ? '' : g.id; if (got === 'failed') void load(g.id) }}>
      <Sign n="chev" size={18} /><span><b>{g.name}</b> <span class="dim">{[g.neighbourhood, g.commune === me.value?.unit ? '' : g.commune_name].filter(Boolean).join(', ')}</span></span>
      <span class="rd">{r.green > 0 && <i class="green"><Sign n="check" size={14} />{say('g.green', { n: r.green })}</i>}{r.amber > 0 && <i class="amber"><Sign n="sos" size={14} />{say('g.amber', { n: r.amber })}</i>}{r.red > 0 && <i class="red"><Sign n="x" size={14} />{say('g.red', { n: r.red })}</i>}</span>
    </button>
    {on && <div class="gb">
      {g.leader.name && <p class="ld">{say('g.leader', { name: g.leader.name })} {g.leader.phone && <a class="sm btn" href={dial(g.leader.phone)}><Sign n="phone" />{spoken(g.leader.phone)}</a>}</p>}
      <ul class="hms">{hit.homes.map((h) => <HomeRow key={h.id} h={h} devices={devices?.devices ?? null} />)}</ul>
      {!got && <p class="dim">{say('g.loading')}</p>}
      {got === 'failed' && <p class="dim">{say('g.fail')} <button type="button" class="lk" onClick={() => void load(g.id)}>{say('g.again')}</button></p>}
      {devices && <Strays d={devices} />}
    </div>}
  </li>
}

export function Groups() {
  const el = useRef<HTMLInputElement>(null), l = hits.value
  useLayoutEffect(() => { el.current?.focus({ preventScroll: true }) }, [])
  useEffect(() => { fetched.value = {} }, [])
  const typed = words.value.length > 0
  return <section class="browse" aria-labelledby="gt">
    <div class="bh"><h2 id="gt">{say('g.title')}</h2>
      <div class="srch"><label for="gq">{say('g.search')} <span class="dim">{say('g.search.hint')}</span></label><div class="inp"><Sign n="find" /><input ref={el} id="gq" type="search" value={query.value} autocomplete="off" onInput={(e) => (query.value = e.currentTarget.value)} onKeyDown={(e) => { if (e.key === 'Escape') { if (query.value) query.value = ''; else pane.value = 'map' } }} /></div></div>
      <label class="only"><input type="checkbox" checked={only.value} onChange={(e) => (only.value = e.currentTarget.checked)} />{say('g.only')}</label>
    </div>
    <p class="cnt dim" role="status">{l.length ? say('g.found', { n: l.length, m: l.reduce((s, x) => s + x.homes.length, 0) }) : only.value && !typed ? say('g.allgood') : say('g.none', { q: query.value })}</p>
    <ul class="grps">{l.map((h) => <GroupCard key={h.group.id} hit={h} auto={l.length === 1 || (typed && h.homes.length > 0 && h.homes.length < 3 && l.length < 4)} />)}</ul>
    {me.value?.role === 'desk' && me.value.unit.length === 5 && <Register />}
  </section>
}
