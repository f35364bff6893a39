// What must be asked before it is done: closing, answering for a home; and the list of keys.
import { useRef, useState } from 'preact/hooks'
import { incidents, me } from '../lib/live'
import { t } from '../lib/i18n'
import { later } from '../lib/lazy'
import { once, unlock } from '../lib/gongsound'
import { hms } from '../lib/time'
import type { Answer, Category, Cause, Incident } from '../lib/types'
import { SILENCE, answerFor, close, name } from './acts'
import { CloseX, Dialog, Kbd } from './bits'
import { ask, asking, homeOf } from './desk'
import { kindIcon } from '../lib/ui'
import { cause as causeWord } from './events'
import { Sign } from './icons'
import { letters } from './keys'
import { homeName, kind, where } from './place'
import { say } from './say'
import { choice, choose } from './theme'

const shut = () => ask(null)
const Account = later(() => import('./account')).part((m) => m.Account)

// causes that may be chosen: a drill ends as a drill. "False report" is for the duty desk alone, is never
// preselected and never without its grounds: nobody's intent is inferred.
function causes(i: Incident): Cause[] {
  if (i.mode === 'drill') return ['drill']
  if (i.mode === 'test') return ['test']
  const c: Cause[] = ['real', 'mistaken_alarm', 'nuisance', 'unknown']
  return me.value?.role === 'desk' ? [...c, 'false_report'] : c
}

function CloseDialog({ i }: { i: Incident }) {
  const list = causes(i), [cause, setCause] = useState<Cause | ''>(list.length === 1 ? list[0] : ''), [error, setError] = useState('')
  const note = useRef<HTMLTextAreaElement>(null)
  const need = i.mode === 'live' ? i.homes.filter((h) => h.answer === 'need_help') : [], silent = i.silent ? 0 : i.homes.filter((h) => !h.answer).length
  const live = i.mode === 'live'
  const submit = (e: Event) => {
    e.preventDefault()
    const text = note.current!.value.trim().normalize('NFC')
    if (!cause) return setError(say('c.cause.need'))
    if (cause === 'false_report' && !text) { note.current!.focus(); return setError(say('c.note.need')) }
    close(i, cause, text); shut()
  }
  return <Dialog id="close-dialog" label={say('c.title', { code: i.code })} onClose={shut}>
    <form onSubmit={submit} noValidate>
      <div class="dlh"><h2>{say('c.title', { code: i.code })}</h2><CloseX onClick={shut} /></div>
      <p class="lead"><b>{kind(i)}, {where(i)}</b> <span class="num dim">{hms(i.opened_at)}</span><br />{say('c.what')}</p>
      {need.length > 0 && <div class="mark help" data-mark="need"><Sign n="sos" /><div><b>{say('c.help', { n: need.length, homes: need.map((h) => homeName(h.home)).join(', ') })}</b> {say('c.help.how')}
        <p class="row">{need.map((h) => <button key={h.home} type="button" class="sm" onClick={() => ask({ what: 'behalf', id: i.id, home: h.home })}>{say('b.title', { home: homeName(h.home) })}</button>)}</p></div></div>}
      {live && silent > 0 && <p class="mark"><Sign n="dots" /><span>{say('c.silent', { n: silent })}</span></p>}
      <fieldset class="radios"><legend>{say('c.cause')}</legend>{list.map((c, n) => (
        <label key={c} class={cause === c ? 'on' : undefined}><input type="radio" name="cause" value={c} checked={cause === c} data-first={n === 0 ? '' : undefined} onChange={() => { setCause(c); setError('') }} /><span><b>{causeWord(c)}</b><small>{say('cause.' + c)}</small></span></label>))}</fieldset>
      <label class="field" for="close-note">{say('c.note')} <span class="dim">{say(cause === 'false_report' ? 'c.note.must' : 'c.note.opt')}</span></label>
      <textarea ref={note} id="close-note" rows={2} maxLength={1000} aria-describedby={error ? 'close-error' : undefined} aria-invalid={error ? 'true' : undefined} />
      {error && <p class="err" id="close-error" role="alert"><Sign n="sos" />{error}</p>}
      <div class="dlf"><button type="button" class="plain" onClick={shut}>{say('c.no')}</button><button type="submit" class="go" id="close-yes" disabled={need.length > 0}>{say('c.yes')}</button></div>
    </form>
  </Dialog>
}

const ANSWERS: Answer[] = ['safe', 'coming', 'need_help', 'away', 'cannot_help']

function BehalfDialog({ i, home }: { i: Incident; home: string }) {
  const h = homeOf(home), [answer, setAnswer] = useState<Answer | ''>(''), [error, setError] = useState('')
  const who = useRef<HTMLInputElement>(null)
  const help = i.homes.find((r) => r.home === home)?.answer === 'need_help'
  const title = say('b.title', { home: h?.name ?? home })
  const submit = (e: Event) => {
    e.preventDefault()
    const told = who.current!.value.trim().normalize('NFC')
    if (!answer) return setError(say('b.what.need'))
    if (!told) { who.current!.focus(); return setError(say('b.who.need')) }
    answerFor(i, home, answer, told); shut()
  }
  return <Dialog id="behalf-dialog" label={title} onClose={shut}>
    <form onSubmit={submit} noValidate>
      <div class="dlh"><h2>{title}</h2><CloseX onClick={shut} /></div>
      {help && <p class="mark help"><Sign n="sos" /><span>{say('b.clear')}</span></p>}
      <fieldset class="radios row"><legend>{say('b.what')}</legend>{ANSWERS.map((a, n) => <label key={a} class={answer === a ? 'on' : undefined}><input type="radio" name="answer" value={a} data-first={n === 0 ? '' : undefined} onChange={() => { setAnswer(a); setError('') }} /><span><b>{t(a)}</b></span></label>)}</fieldset>
      <label class="field" for="behalf-who">{say('b.who')}</label>
      <p class="dim" id="behalf-hint">{say('b.who.hint')}</p>
      <input ref={who} id="behalf-who" maxLength={200} autocomplete="off" aria-describedby={error ? 'behalf-hint behalf-error' : 'behalf-hint'} aria-invalid={error ? 'true' : undefined} />
      {error && <p class="err" id="behalf-error" role="alert"><Sign n="sos" />{error}</p>}
      <div class="dlf"><button type="button" class="plain" onClick={shut}>{t('cancel')}</button><button type="submit" class="go come" id="behalf-yes">{say('b.send')}</button></div>
    </form>
  </Dialog>
}

const KINDS: Category[] = ['fire', 'gas', 'co', 'intrusion', 'medical', 'flood', 'technical', 'panic', 'other']

// KindDialog names the danger once somebody on the telephone has told what it is.
function KindDialog({ i }: { i: Incident }) {
  return <Dialog id="kind-dialog" label={say('kd.title')} onClose={shut}>
    <div class="dlh"><h2>{say('kd.title')}</h2><CloseX onClick={shut} /></div>
    <p class="lead">{say('kd.what')}</p>
    <div class="kinds">{KINDS.map((c, n) => <button key={c} type="button" class={c === i.category ? 'on' : undefined} value={c} data-first={n === 0 ? '' : undefined} disabled={c === i.category} onClick={() => { name(i, c); shut() }}><Sign n={kindIcon[c]} size={22} />{t(c)}</button>)}</div>
  </Dialog>
}

const KEYS: [string, string][] = [['J K ↓ ↑', 'key.move'], ['A', 'act.ack'], ['S', 'act.silence'], ['R', 'act.close'], ['D', 'act.attend'], ['C', 'act.control'], ['N', 'key.note'], ['T', 'nav.notices'], ['H', 'key.handover'], ['Q', 'nav.rights'], ['V', 'nav.roles'], ['M', 'key.map'], ['/', 'key.groups'], ['?', 'key.help'], ['Esc', 'key.esc']]

function KeysDialog() {
  return <Dialog id="keys-dialog" label={say('key.title')} onClose={shut}>
    <div class="dlh"><h2>{say('key.title')}</h2><CloseX onClick={shut} /></div>
    <label class="switch"><input type="checkbox" role="switch" id="letters" data-first="" checked={letters.value} onChange={(e) => (letters.value = e.currentTarget.checked)} /><span><b>{say('key.on')}</b><small>{say('key.on.sub')}</small></span></label>
    <dl class={'keylist' + (letters.value ? '' : ' off')}>{KEYS.map(([k, name]) => <div key={k}><dt>{k.split(' ').map((x) => <Kbd key={x} k={x} />)}<span class="vh">{k}</span></dt><dd>{say(name)}{say(name + '.full') && <small>{say(name + '.full', { n: SILENCE })}</small>}</dd></div>)}</dl>
    <p class="dim">{say('key.typing')}</p>
    <p><button type="button" class="sm" id="try-sound" onClick={() => void unlock().then(() => once('alarm'))}><Sign n="sound" />{say('key.sound')}</button></p>
    <fieldset class="radios row"><legend>{say('key.theme')}</legend>{(['auto', 'night', 'day'] as const).map((c) => <label key={c} class={choice.value === c ? 'on' : undefined}><input type="radio" name="theme" checked={choice.value === c} onChange={() => choose(c)} /><span><b>{say('key.' + c)}</b></span></label>)}</fieldset>
  </Dialog>
}

export function Dialogs() {
  const a = asking.value
  if (!a) return null
  if (a.what === 'keys') return <KeysDialog />
  if (a.what === 'account') return <Account />
  const i = incidents.value.find((x) => x.id === a.id)
  if (!i || i.closed) return null
  if (a.what === 'behalf') return <BehalfDialog key={i.id + a.home} i={i} home={a.home} />
  return a.what === 'close' ? <CloseDialog key={i.id} i={i} /> : <KindDialog key={i.id} i={i} />
}
