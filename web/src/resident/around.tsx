// What comes up around an alarm: the address card, a claimed mistake, the next step, several incidents, a bell test.
import { useEffect } from 'preact/hooks'
import { t as common } from '../lib/i18n'
import { group, me, now, numbers } from '../lib/live'
import { allow, type Deed } from '../lib/outbox'
import { hm, ms } from '../lib/time'
import type { Incident } from '../lib/types'
import { Icon, Sheet, kindIcon } from '../lib/ui'
import { HomeNotes, l } from './later'
import { alarms, answer, close, danger, home, kindOf, leads, mine, numberFor, open, place, show, t, takeBack, toast, whose } from './model'
import { CallLink, Heading, Top } from './parts'

export function CallSheet({ incident }: { incident?: Incident }) {
  const h = incident ? group.value?.homes.find((x) => x.id === incident.origins[0]?.home) ?? null : home.value
  const lines = place(h, incident?.group ?? group.value?.id ?? ''), first = numberFor('fire_rescue', '114')
  return <Sheet id="call-sheet" label={l('callTitle')} onClose={() => { open.value = null }}>
    <h2>{l('callTitle')}</h2>
    <dl class="read" data-testid="address-card">
      {incident && <><dt>{l('callWhat')}</dt><dd>{danger(incident.category)}</dd></>}
      <dt>{l('callAt')}</dt><dd>{lines.length ? lines.map((l) => <span key={l}>{l}</span>) : l('noAddress')}</dd>
      {h?.placed && <><dt>{l('callPos')}</dt><dd class="num">{h.lat.toFixed(5)}, {h.lon.toFixed(5)}</dd></>}
    </dl>
    <a class="btn big alarm" href={'tel:' + first}><Icon n="phone" />{t('call114', { n: first })}</a>
    <h3>{l('callOthers')}</h3>
    <div class="nums">{numbers.value.filter((n) => n.number !== first).map((n) => <a key={n.number} class="btn out" href={'tel:' + n.number}><b class="num">{n.number}</b><small>{common(n.name_key) || n.name_key}</small></a>)}</div>
    <button type="button" class="big plain" onClick={() => { open.value = null }}>{common('close')}</button>
  </Sheet>
}


// NextStep says what Keng does by itself next, so that nobody wonders whether it was forgotten.
export function NextStep({ i }: { i: Incident }) {
  const what = i.next && l('step_' + i.next.key.replace(/^step\./, ''))
  const s = i.next ? Math.ceil((ms(i.next.at) - now.value) / 1000) : 0
  return what && s > 0 && s < 600 ? <p class="sub num">{l('nextStep', { n: s, what })}</p> : null
}

// Switcher chooses between several open incidents, the most severe first.
export function Switcher({ i }: { i: Incident }) {
  return alarms.value.length < 2 ? null : <div class="switch" role="group" aria-label={l('several', { n: alarms.value.length })} data-testid="switcher">{alarms.value.map((a) => (
    <button key={a.id} type="button" class={a.mode} aria-pressed={a.id === i.id} onClick={() => show(a)}><Icon n={kindIcon[a.category]} />{danger(a.category)}{a.need_help > 0 && <Icon n="sos" />}</button>))}</div>
}


// MistakeCard: somebody says it was a mistake; another home, and only another, may confirm.
export function MistakeCard({ i }: { i: Incident }) {
  const m = i.mistake
  if (!m) return null
  const own = m.home === me.value?.home
  return <div class="card note" role="status" data-testid="mistake"><h2>{own ? l('mistakeWait') : l('mistakeAsk', { name: whose(m.home) })}</h2><p>{own ? l('mistakeWaitSub') : l('mistakeAskSub')}</p>
    {!own && <button type="button" class="big plain" data-testid="confirm-mistake" onClick={() => close(i, 'mistaken_alarm')}><Icon n="check" />{l('mistakeYes')}</button>}</div>
}


// Toast is the evening's stroke; it goes by itself.
export function Toast() {
  const x = toast.value
  useEffect(() => { if (x) { const id = setTimeout(() => { toast.value = 0 }, 20_000); return () => clearTimeout(id) } }, [x])
  return <div role="status" aria-live="polite">{x && <p class="toast" data-testid="toast"><Icon n="moon" size={28} /><span><b>{l('calm')}</b>{l('calmSub')}</span><button type="button" onClick={() => { toast.value = 0 }}>{common('close')}</button></p>}</div>
}


// BellTest looks nothing like an alarm: no red, no full screen, one calm question.
export function BellTest({ i }: { i: Incident }) {
  const said = mine(i), n = i.homes.length, heard = i.homes.filter((r) => r.answer).length, sirens = i.homes.filter((r) => r.siren?.sounding > 0).length
  return <section class="card belltest" aria-labelledby="bt" data-testid="bell-test"><div class="row"><h2 id="bt"><Icon n="sound" />{l('bellNow')}</h2></div>
    {leads.value && <p class="num" role="status" data-testid="bell-count">{l('bellCount', { sirens, heard, n })}</p>}
    {said ? <p role="status">{l('bellThanks')}</p> : <><p>{l('bellNowSub')}</p><button type="button" class="big calm" data-testid="bell-heard" onClick={() => answer(i, 'safe')}><Icon n="check" />{l('bellHeard')}</button></>}
  </section>
}


// Stale: an alarm that lay here too long is sent only when somebody says that it is still needed.
export function Stale({ d }: { d: Deed }) {
  return <><Top /><main class="sent" data-testid="stale"><div class="hero q"><span class="waves" aria-hidden="true"><Icon n="clock" size={44} /></span><div><Heading cls="q">{l('staleTitle', { t: hm(d.at) })}</Heading><p>{l('staleBody')}</p></div></div>
    <CallLink number={numberFor('fire_rescue', '114')} main big />
    <button type="button" class="big plain" onClick={() => allow(d.id)}><Icon n="gong" />{l('staleYes')}</button><button type="button" class="big plain" onClick={() => takeBack(d)}>{l('staleNo')}</button></main></>
}

// Todo: three things to do now, by danger.
export function Todo({ i }: { i: Incident }) {
  const first = l(kindOf(i) + '1') ? kindOf(i) : 'any'
  return <><div class="card todo"><h2>{l('todo')}</h2><ol>{[1, 2, 3].map((n) => <li key={n}>{l(first + n)}</li>)}</ol></div>{i.mode === 'live' && !leads.value && mine(i)?.answer === 'coming' && <HomeNotes i={i} />}</>
}
