// The group: who can hear an alarm, whom to ask, what happened; and for its leader the bells, drills and devices.
import { useEffect, useState } from 'preact/hooks'
import { get } from '../lib/api'
import { t as common, words } from '../lib/i18n'
import { later } from '../lib/lazy'
import { group, homeOf, me, serverNow } from '../lib/live'
import { send } from '../lib/outbox'
import { say, sentence } from '../lib/reason'
import { dm, hm, ms } from '../lib/time'
import type { Category, Device, Devices, Home } from '../lib/types'
import { HouseGlyph, Icon, Sheet, ago, kindIcon, ready } from '../lib/ui'
import { vi as deviceWords } from './device.vi'
import { Own, l } from './later'
import { closed, danger, home, leads, past, t, whose } from './model'
import { ActiveBar, Banners, Tabs, Top } from './parts'
import { TalkCard } from './talk'

const Phones = later(() => import('./door')).part((m) => m.Phones)
const d = words(deviceWords, () => import('./device.en'))

export function Group() {
  const g = group.value
  if (!g) return null
  const n = { green: 0, amber: 0, red: 0 }
  for (const h of g.homes) n[h.state]++
  return <><Top /><main class="page"><Banners /><ActiveBar /><TalkCard />
    <section class="card" aria-labelledby="gh"><div class="row"><h2 id="gh">{t('homes', { n: g.homes.length })}</h2></div>
      <p class="counts"><span class="tag safe"><Icon n="check" />{l('ready', { n: n.green })}</span>{n.amber > 0 && <span class="tag warn"><Icon n="sos" />{l('check', { n: n.amber })}</span>}{n.red > 0 && <span class="tag wait"><Icon n="x" />{l('deaf', { n: n.red })}</span>}</p>
      <ul class="homes">{g.homes.map((h) => <HomeRow key={h.id} h={h} />)}</ul></section>
    {g.leader?.name && g.leader.name !== me.value?.name && <section class="card leader" aria-labelledby="gl"><h2 id="gl">{l('leader')}</h2><p>{g.leader.name}</p>{g.leader.phone && <a class="btn out" href={'tel:' + g.leader.phone}><Icon n="phone" />{l('callPerson', { name: g.leader.name })}</a>}</section>}
    {leads.value && <Lead />}
    <Own /><Phones />
    <Recent />
    {leads.value && <Equipment id={g.id} found={g.found ?? 0} unknown={g.unknown ?? 0} />}
  </main><Tabs /></>
}

function HomeRow({ h }: { h: Home }) {
  const s = ready(h, me.value?.home ?? '')
  return <li class={h.state} data-home={h.id}><HouseGlyph look={s.look} icon={s.icon} /><span><b>{h.name}{h.id === home.value?.id && <em>{common('you')}</em>}</b><small>{h.address}</small><span class="why">{sentence(h.reason, h.state)}</span></span>
    {h.phone && h.id !== home.value?.id && <a class="round" href={'tel:' + h.phone} aria-label={l('callPerson', { name: h.name })}><Icon n="phone" size={24} /></a>}</li>
}

function Recent() {
  return <section class="card" aria-labelledby="rc"><h2 id="rc">{l('recent')}</h2>{closed.value.length === 0 ? <p>{l('noRecent')}</p>
    : <ul class="pick">{closed.value.map((i) => <li key={i.id}><button type="button" data-incident={i.id} onClick={() => { past.value = i.id }}><Icon n={kindIcon[i.category]} size={28} /><span><b>{i.mode === 'live' ? danger(i.category) : common(i.mode)}, {hm(i.opened_at)}</b>{whose(i.origins[0]?.home ?? '')}. {common('cause_' + i.closed!.cause)}.</span><Icon n="chev" /></button></li>)}</ul>}</section>
}

const soon = 20_000 // ms: a drill or test that could not start by then must not start at all

function Lead() {
  const [ask, setAsk] = useState(false), [kind, setKind] = useState<Category>('fire'), id = group.value!.id
  const drill = () => { setAsk(false); send(`/api/v1/groups/${id}/drills`, { category: kind }, { within: soon, told: l('drill') }) }
  return <section class="card acts" aria-labelledby="ld" data-testid="lead"><h2 id="ld">{l('lead')}</h2>
    <button type="button" class="big plain" data-testid="start-test" onClick={() => send(`/api/v1/groups/${id}/tests`, {}, { within: soon, told: l('bellTest') })}><Icon n="sound" /><span>{l('bellTest')}<small>{l('bellTestSub')}</small></span></button>
    <button type="button" class="big plain" data-testid="start-drill" onClick={() => setAsk(true)}><Icon n="flag" /><span>{l('drill')}<small>{l('drillSub')}</small></span></button>
    {ask && <Sheet id="drill" label={l('drillPick')} onClose={() => setAsk(false)}><h2>{l('drillPick')}</h2>
      <div class="kinds four" role="group" aria-label={l('drillPick')}>{(['fire', 'intrusion', 'medical', 'flood'] as Category[]).map((c) => <button key={c} type="button" class="kind dr" data-kind={c} aria-pressed={kind === c} onClick={() => setKind(c)}><Icon n={kindIcon[c]} size={32} />{danger(c)}</button>)}</div>
      <button type="button" class="big drill" data-testid="drill-yes" onClick={drill}><Icon n="flag" />{l('drillStart')}</button><button type="button" class="big plain" onClick={() => setAsk(false)}>{common('cancel')}</button></Sheet>}
  </section>
}

// when is a time in words: "5 phút trước" today, "14:32 24/11" before.
function when(at: string): string {
  const s = (serverNow() - ms(at)) / 1000
  return s < 24 * 3600 ? ago(s) : `${hm(at)} ${dm(at)}`
}

function Equipment({ id, found, unknown }: { id: string; found: number; unknown: number }) {
  const [list, setList] = useState<Devices | null>(null), [failed, setFailed] = useState(false), [ask, setAsk] = useState<Device | null>(null)
  useEffect(() => {
    let live = true
    const load = () => get<Devices>(`/api/v1/groups/${id}/devices`).then((d) => { if (live) { setList(d); setFailed(false) } }, () => { if (live) setFailed(true) })
    void load()
    const again = setInterval(() => { if (!document.hidden) void load() }, 15_000)
    return () => { live = false; clearInterval(again) }
  }, [id, found, unknown])
  return <section class="card" aria-labelledby="eq" data-testid="equipment"><h2 id="eq">{l('devices')}</h2>
    {failed && <p class="bnr" role="status"><Icon n="wifi" /><span>{l('devicesFail')}</span></p>}
    {!list ? !failed && <p role="status">{l('devicesLoad')}</p> : <>
      <ul class="devs">{list.devices.map((x) => <DeviceRow key={x.id} x={x} onBypass={() => setAsk(x)} />)}</ul>
      {list.found?.length > 0 && <details class="more" data-testid="found"><summary>{l('found')} ({list.found.length})</summary><p>{l('foundSub')}</p><ul>{list.found.map((f) => <li key={f.hub + f.topic}><b>{f.name || f.topic}</b><small>{[common('kind_' + f.kind) || f.kind, f.model, f.hub, when(f.at)].filter(Boolean).join(', ')}</small></li>)}</ul></details>}
      {list.unknown?.length > 0 && <details class="more" data-testid="unknown"><summary>{l('unknown')} ({list.unknown.length})</summary><p>{l('unknownSub')}</p><ul>{list.unknown.map((u) => <li key={u.hub + u.topic}><b>{u.topic}</b><small>{[u.hub, l('times', { n: u.count }), when(u.at)].join(', ')}</small><code>{u.payload}</code></li>)}</ul></details>}</>}
    {ask && <Bypass x={ask} onDone={() => setAsk(null)} />}
  </section>
}

function DeviceRow({ x, onBypass }: { x: Device; onBypass: () => void }) {
  const bad = x.state !== 'ok', out = x.state === 'bypassed'
  const facts = [x.battery != null && l('battery', { n: x.battery }), x.seen_at ? l('seen', { when: when(x.seen_at) }) : l('never'), x.kind !== 'hub' && (x.proven_at ? l('proven', { when: when(x.proven_at) }) : l('notProven'))].filter(Boolean)
  return <li class={bad ? 'bad' : ''} data-device={x.id} data-state={x.state}><span><b>{common('kind_' + x.kind) || x.kind}<em>{homeOf(x.home)?.name}</em></b><small>{facts.join(', ')}</small>
    <span class="why"><Icon n={bad ? 'sos' : 'check'} />{say(d, x.reason) || common('dev_' + x.state)}</span></span>
    <button type="button" class="out" onClick={out ? () => bypass(x, 0) : onBypass}>{out ? l('bypassEnd') : l('bypass')}</button></li>
}

function bypass(x: Device, hours: number) { send(`/api/v1/devices/${x.id}/bypass`, { hours }, { within: 60_000, told: l('bypass') }) }

// Bypass always ends by itself; there is no choice "for ever".
function Bypass({ x, onDone }: { x: Device; onDone: () => void }) {
  const what = `${common('kind_' + x.kind) || x.kind}, ${homeOf(x.home)?.name ?? ''}`
  return <Sheet id="bypass" label={l('bypassTitle', { what })} onClose={onDone}><h2>{l('bypassTitle', { what })}</h2><p>{l('bypassBody')}</p>
    {[1, 8, 24, 72].map((h) => <button key={h} type="button" class="big plain" data-hours={h} onClick={() => { bypass(x, h); onDone() }}>{h < 72 ? l('hours', { n: h }) : l('days', { n: h / 24 })}</button>)}
    <button type="button" class="big plain" onClick={onDone}>{common('cancel')}</button></Sheet>
}
