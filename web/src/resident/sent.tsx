// What the presser sees: while the alarm leaves the phone, while there is no network, and once the gong rings.
import { t as common } from '../lib/i18n'
import { group, me, now } from '../lib/live'
import { queue, stale, type Deed } from '../lib/outbox'
import { ms } from '../lib/time'
import type { Answer, Category, Incident } from '../lib/types'
import { Icon, StateTag, kindIcon, lookOf } from '../lib/ui'
import { alarms, answer, callFor, close, danger, home, isLost, leads, mine, minimise, name, numberFor, open, others, place, rest, t, takeBack, whose } from './model'
import { Banners, CallLink, Heading, Kinds, MuteSiren, Street, Taken, Top } from './parts'


const LeaderActs = rest.part((m) => m.LeaderActs), MistakeCard = rest.part((m) => m.MistakeCard), NextStep = rest.part((m) => m.NextStep), Switcher = rest.part((m) => m.Switcher), Stale = rest.part((m) => m.Stale), TalkLink = rest.part((m) => m.TalkLink)
const freeToCallOff = 15 // seconds; the server decides by the group's plan, this only chooses the words

export function Sent({ i }: { i: Incident }) {
  return <><Top /><main class="sent" data-incident={i.id} key={i.id}>{alarms.value.length > 1 && <Switcher i={i} />}<Banners />
    <Heard i={i} /><Street i={i} />
    <p class="meta" role="status">{i.coming > 0 && <span class="c"><Icon n="run" />{t('comingN', { n: i.coming })}</span>}{i.need_help > 0 && <span class="h"><Icon n="sos" />{t('needN', { n: i.need_help })}</span>}<Taken i={i} /></p>
    {i.next && i.mode === 'live' && <NextStep i={i} />}
    {i.mistake && <MistakeCard i={i} />}
    {i.mode === 'live' && <><h2>{t('what')}</h2><p class="sub">{t('whatSub')}</p><Kinds picked={i.category} onPick={(c) => name(i, c)} />
      {callFor(i.category).map((n, k) => <CallLink key={n} number={n} incident={i} main={k === 0} big />)}</>}
    <Own i={i} /><TalkLink i={i} />
    <MuteSiren i={i} />
    {i.mode === 'live' && <CallOff i={i} />}
    {i.mode !== 'live' && <button type="button" class="big alarm" data-testid="real-now" onClick={() => { open.value = { what: 'ask' } }}><Icon n="gong" />{t('realNow')}</button>}
    <button type="button" class="link" data-testid="minimise" onClick={() => minimise(i)}>{t('minimise')}</button>
    {leads.value && <LeaderActs i={i} />}
  </main></>
}

// Heard says how far the alarm got, in the words of what is known: a siren that reports sound, a phone that shows it, a person who answered.
function Heard({ i }: { i: Incident }) {
  const rolls = i.homes.filter((r) => r.home !== me.value?.home), n = rolls.length
  const siren = rolls.filter((r) => r.siren?.sounding > 0).length, phone = rolls.filter((r) => r.contact === 'phone_received' || (r.people?.length ?? 0) > 0).length, said = rolls.filter((r) => r.answer).length
  const silent = rolls.filter((r) => r.contact === 'no_contact'), age = (now.value - ms(i.opened_at)) / 1000, none = silent.length === n
  return <><div class={'hero ' + i.mode}><span class="waves" aria-hidden="true"><i /><i /><Icon n={kindIcon[i.category]} size={40} /></span><div><Heading cls="h">{i.mode === 'live' ? t('sentTitle') : common(i.mode)}</Heading><p role="status">{none ? (age < 8 || n === 0 ? t('sentFirst', { n }) : t('sentNobody')) : t('reached', { n: n - silent.length, m: n })}</p></div></div>
    <div role="status"><ul class="heard" data-testid="heard">{([['sound', siren, 'heardSiren'], ['phone', phone, 'heardPhone'], ['check', said, 'heardAnswer']] as const).map(([icon, k, label]) => <li key={label} class={k ? 'y' : ''} data-n={k}><Icon n={icon} /><b class="num">{k}<small>/{n}</small></b><span>{t(label)}</span></li>)}</ul></div>
    {!none && silent.length > 0 && age > 10 && <p class="sub">{t('notReached', { names: silent.map((r) => whose(r.home)).join(', ') })}</p>}</>
}

// Own: whoever raised it belongs to the roll-call too.
function Own({ i }: { i: Incident }) {
  const said = mine(i), pick = (a: Answer) => <button type="button" class={'ownbtn ' + lookOf[a]} aria-pressed={said?.answer === a} data-answer={a} onClick={() => answer(i, a)}><Icon n={a === 'safe' ? 'check' : 'sos'} size={26} />{a === 'safe' ? t('iSafe') : t('iHelp')}</button>
  return <section aria-labelledby="own"><h2 id="own">{t('own')}</h2><div class="two">{pick('safe')}{pick('need_help')}</div>{said?.sending && <StateTag look="wait" icon="clock" label={t('sendingAnswer', { what: common(said.answer) })} />}</section>
}

// CallOff: whoever is in the home that raised it may say that it was nothing.
export function CallOff({ i }: { i: Incident }) {
  const left = i.spreading ? 0 : Math.ceil(freeToCallOff - (now.value - ms(i.opened_at)) / 1000), detector = i.origins.some((o) => o.device && o.device_kind !== 'button')
  if (i.mistake) return null
  return <button type="button" class="big plain" data-testid="call-off" onClick={() => close(i, detector ? 'nuisance' : 'mistaken_alarm')}><Icon n="x" /><span>{t(detector ? 'nuisance' : 'mistake')}<small class="num">{left > 0 ? t('mistakeFree', { n: left }) : t('mistakeLate')}</small></span></button>
}

// Queued: the alarm is on this phone and on its way. Until it is out, the voice and the telephone are faster.
export function Queued({ d }: { d: Deed }) {
  const late = isLost.value || d.tries > 1 || (d.tries > 0 && now.value - d.at > 3000), kind = picked(d)
  if (stale(d)) return <Stale d={d} />
  return <><Top /><main class="sent" data-testid="queued" data-late={late}>
    <div class={'hero ' + (late ? 'q' : 'live')}><span class="waves" aria-hidden="true">{!late && <><i /><i /></>}<Icon n={late ? 'clock' : kindIcon[kind]} size={44} /></span><div><Heading cls={late ? 'q' : 'h'}>{late ? t('queued') : t('sending')}</Heading></div></div>
    <CallLink number={numberFor('fire_rescue', '114')} main big />
    {late && <a class="btn big plain" data-testid="sms" href={smsLink(kind)}><Icon n="tip" />{t('sms')}</a>}
    <h2>{t('what')}</h2><Kinds picked={kind} onPick={(c) => name(d, c)} />
    {late && <Near />}
    <button type="button" class="big plain" data-testid="take-back" onClick={() => takeBack(d)}><Icon n="x" />{t('takeBack')}</button>
  </main></>
}

// picked is the danger that was named, with the alarm or after it.
function picked(d: Deed): Category {
  const named = queue.value.filter((q) => q.path.endsWith('/category') && q.path.includes(d.id)).at(-1)
  return ((named ?? d).body as { category?: Category }).category ?? 'panic'
}

function smsLink(kind: Category): string {
  const to = others.value.map((h) => h.phone).filter(Boolean).join(',')
  return `sms:${to}?&body=${encodeURIComponent(t('smsText', { what: danger(kind), where: place(home.value, group.value?.id ?? '').join(', ') }))}`
}

function Near() {
  const near = others.value.filter((h) => h.phone)
  return near.length ? <><h2>{t('callNear')}</h2><div class="card near">{near.map((h) => <a key={h.id} href={'tel:' + h.phone}><span><b>{h.name}</b>{h.address}</span><Icon n="phone" size={24} /></a>)}</div></> : null
}
