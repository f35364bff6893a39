// An alarm of somebody else: what, where, who goes, and one question.
import { useEffect } from 'preact/hooks'
import { audible, unlock } from '../lib/gongsound'
import { t as common } from '../lib/i18n'
import { homeOf, now } from '../lib/live'
import { hms, ms } from '../lib/time'
import type { Answer, Incident } from '../lib/types'
import { AnswerButton, Icon, StateTag, ago, kindIcon, lookOf } from '../lib/ui'
import { alarms, answer, callFor, changing, danger, fromMyHome, home, kindOf, leads, metres, mine, minimise, mute, open, receive, rest, ringKey, rings, t, whose } from './model'
import { CallOff } from './sent'
import { Banners, CallLink, Heading, MuteButton, MuteSiren, Street, Taken } from './parts'

const LeaderActs = rest.part((m) => m.LeaderActs), MistakeCard = rest.part((m) => m.MistakeCard), NextStep = rest.part((m) => m.NextStep), Switcher = rest.part((m) => m.Switcher), Todo = rest.part((m) => m.Todo), TalkLink = rest.part((m) => m.TalkLink)
const received = new Set<string>()

export function Incoming({ i }: { i: Incident }) {
  useReceipt(i)
  const said = mine(i), asking = !said || changing.value === i.id, ringing = rings(i)
  const about = <><Street i={i} /><Facts i={i} />{i.mode === 'drill' && <p class="bnr"><Icon n="flag" /><span>{t('drillNote')}</span></p>}</> // the question comes first: every answer is on the screen, and nothing that comes or goes moves it
  return <div class={'incoming ' + i.mode + (i.condition === 'pre_alarm' ? ' pre' : '')} role="alertdialog" aria-modal="true" aria-labelledby="it" aria-describedby="id" data-incident={i.id} key={i.id}>
    <Head i={i} />
    <div class="ibody">{asking && <Question i={i} />}{alarms.value.length > 1 && <Switcher i={i} />}<Banners />{!asking && about}
      {ringing && !audible.value && <button type="button" class="belloff" data-testid="unlock" onClick={() => void unlock()}><Icon n="mute" size={24} /><span><b>{t('bellOff')}</b>{t('unlock')}</span></button>}
      {i.mistake && <MistakeCard i={i} />}
      {asking ? about : <Answered i={i} answer={said.answer} sending={said.sending} />}
      <TalkLink i={i} />
      {!ringing && <MuteSiren i={i} />}
      {i.mode === 'live' && <button type="button" class="big plain" data-testid="another" onClick={ask}><Icon n="gong" />{t('another')}</button>}
      {i.mode === 'live' && fromMyHome(i) && <CallOff i={i} />}
      {!asking && <div class="two"><button type="button" class="out" data-testid="behalf" onClick={() => { open.value = { what: 'behalf', incident: i } }}>{t('behalf')}</button><button type="button" class="out" data-testid="minimise" onClick={() => minimise(i)}>{t('minimise')}</button></div>}
      {leads.value && <LeaderActs i={i} />}
    </div>
    <div class="foot">{i.mode === 'live' ? callFor(i.category).map((n) => <CallLink key={n} number={n} incident={i} main={!asking && n === callFor(i.category)[0]} />) : <button type="button" class="out alarm" data-testid="real-now" onClick={ask}><Icon n="gong" /><span>{t('realNow')}</span></button>}{ringing && <MuteButton onMute={() => mute(i)} />}</div></div>
}

const ask = () => { open.value = { what: 'ask' } }

// useReceipt tells the server that this phone shows the alarm, once, and only when somebody can see it.
function useReceipt(i: Incident) {
  useEffect(() => {
    const tell = () => { if (!document.hidden && !received.has(ringKey(i))) { received.add(ringKey(i)); receive(i) } }
    tell()
    document.addEventListener('visibilitychange', tell)
    return () => document.removeEventListener('visibilitychange', tell)
  }, [i.id])
}

function Head({ i }: { i: Incident }) {
  const from = i.origins[0], h = homeOf(from?.home ?? ''), far = metres(home.value, h), own = fromMyHome(i)
  const rest = i.origins.slice(1).filter((o, k, all) => o.home !== from.home && all.findIndex((p) => p.home === o.home) === k)
  return <div class="ihead"><div class="irow"><span class="real">{i.condition === 'pre_alarm' ? t('prealarm') : common(i.mode)}</span><span class="num tm">{hms(i.opened_at)} · {ago((now.value - ms(i.opened_at)) / 1000)}</span></div>
    <div class="ititle"><span class="waves" aria-hidden="true"><i /><i /><Icon n={kindIcon[i.category]} size={46} /></span><div><Heading id="it">{danger(i.category)}</Heading><p id="id"><b>{own ? t('yourHome') : whose(from?.home ?? '')}</b><br />{[h?.address, far > 0 && t('away_m', { n: far }), from?.device_kind && from.device_kind !== 'phone' && common('kind_' + from.device_kind)].filter(Boolean).join(', ')}</p></div></div>
    {rest.length > 0 && <p class="spread" role="status"><Icon n="flame" />{t('spreading')}: {rest.map((o) => whose(o.home)).join(', ')}</p>}
    {i.condition !== 'active' && <p class="spread">{i.condition === 'pre_alarm' ? t('preSub') : t('returnedSub')}</p>}
  </div>
}

function Facts({ i }: { i: Incident }) {
  const going = mine(i)?.answer === 'coming'
  return <p class="meta" role="status"><span class="c"><Icon n="run" />{t(going ? 'comingMe' : 'comingN', { n: i.coming })}</span>{i.need_help > 0 && <span class="h"><Icon n="sos" />{t('needN', { n: i.need_help })}</span>}<Taken i={i} /></p>
}

function advice(i: Incident) { return t('come_' + kindOf(i)) || t('come_') }

// Help stands farthest from the first button, outlined, so that no slip of the thumb calls for rescue.
function Question({ i }: { i: Incident }) {
  const own = fromMyHome(i), say = (a: Answer) => () => answer(i, a)
  return <div class="ans"><h2>{t('question')}</h2>
    {!own && <AnswerButton look="coming" label={t('iCome')} sub={advice(i)} onPick={say('coming')} />}
    <AnswerButton look="safe" label={t('iSafe')} sub={t('safeSub')} onPick={say('safe')} />
    <AnswerButton look="away" label={t('iAway')} onPick={say('away')} />
    <AnswerButton look="help" label={t('iHelp')} sub={t('helpSub')} onPick={say('need_help')} />
  </div>
}

function Answered({ i, answer: a, sending }: { i: Incident; answer: Answer; sending: boolean }) {
  return <div class="answered"><p role="status" data-testid="answered" data-answer={a} data-sending={sending}><StateTag look={lookOf[a]} icon={sending ? 'clock' : undefined} label={t(sending ? 'sendingAnswer' : 'sent', { what: common(a) })} /></p>
    <button type="button" class="link" data-testid="change" onClick={() => { changing.value = i.id }}>{t('change')}</button>
    {i.next && i.mode === 'live' && <NextStep i={i} />}
    <Todo i={i} /></div>
}

