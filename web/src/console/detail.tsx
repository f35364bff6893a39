// The incident on the right: what, where, what to do next, and everything that happened.
import { signal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../lib/i18n'
import { later } from '../lib/lazy'
import { incidents, me } from '../lib/live'
import { hms, mmss, ms } from '../lib/time'
import type { Incident } from '../lib/types'
import { SILENCE, acknowledge, attend, can, control, note, pending, silence, type Verb } from './acts'
import { KindMark, Kbd, Since, Until } from './bits'
import { ask, current, groupOf, homeOf, mayAct, show } from './desk'
import { cause, device, icon, sentence, step } from './events'
import { Sign } from './icons'
import { letters } from './keys'
import { stateWord } from './list'
import { waits } from './order'
import { area, coordinates, dial, homeName, kind, lines, official, originOf, spoken, where } from './place'
import { say } from './say'

function Head({ i }: { i: Incident }) {
  const h = originOf(i), g = groupOf(i.group)
  return <div class="d1">
    <KindMark i={i} big />
    <div class="dt"><h2>{kind(i)}<span class="code num">{i.code}</span></h2><p><b>{h?.name ?? where(i)}</b>{i.origins[0]?.device_kind && <>, {device(i.origins[0].device_kind)}</>}<br />{area(g)}</p></div>
    <div class="tmr"><span class="num">{i.closed ? mmss((ms(i.closed.at) - ms(i.opened_at)) / 1000) : <Since at={i.opened_at} />}</span><small class="num">{say('det.from', { t: hms(i.opened_at) })}</small>{can(i, 'category') && <button type="button" class="lk kind" id="kind" onClick={() => ask({ what: 'kind', id: i.id })}>{say('act.kind')}</button>}</div>
  </div>
}

function SirenState({ i }: { i: Incident }) {
  const rest = i.silences.find((s) => s.home === '')
  if (i.silent) return <>{say('ann.silent')}</>
  if (i.annunciation === 'silenced' && rest) return <Until at={rest.until} text={(s) => say('ann.silenced', { s })} />
  return <>{say('ann.' + i.annunciation)}</>
}

// Marks say in words what colour alone must not.
function Marks({ i }: { i: Incident }) {
  const before = i.previous && !i.closed ? incidents.value.find((x) => x.id === i.previous) : undefined
  return <>
    {i.silent && <p class="mark hush" data-mark="silent"><Sign n="mute" /><span>{say('det.silent')}</span></p>}
    {i.mode !== 'live' && <p class="mark drill" data-mark={i.mode}><Sign n="gong" /><span>{say('det.' + i.mode)}</span></p>}
    {!i.closed && <ul class="tags">
      <li class={'siren ' + i.annunciation} data-annunciation={i.annunciation}><Sign n={i.annunciation === 'sounding' ? 'sound' : 'mute'} /><SirenState i={i} /></li>
      {i.need_help > 0 && <li class="help"><Sign n="sos" />{say('row.need', { n: i.need_help })}</li>}
      {i.spreading && <li class="help"><Sign n="spread" />{say('row.spread')}</li>}
      {i.province && <li class="help"><Sign n="phone" />{say('row.province')}</li>}
      {i.condition === 'pre_alarm' && <li><Sign n="clock" />{say('row.prealarm')}</li>}
      {i.condition === 'returned' && <li><Sign n="check" />{say('row.returned')}</li>}
    </ul>}
    {before && <p class="mark" data-mark="again"><Sign n="clock" /><span>{say('det.again', { code: before.code, t: hms(before.closed?.at ?? before.opened_at) })} <button type="button" class="lk" onClick={() => show(before.id)}>{before.code}</button></span></p>}
    {i.mistake && !i.closed && <p class="mark"><Sign n="tip" /><span>{say('det.mistake', { by: i.mistake.by, home: homeName(i.mistake.home) })}</span></p>}
    {i.closed && <p class="mark done"><Sign n="flag" /><span><b>{say('det.closed', { t: hms(i.closed.at), cause: cause(i.closed.cause).toLocaleLowerCase(), by: i.closed.by })}</b>{i.closed.note && <> {i.closed.note}</>}</span></p>}
  </>
}

interface Step { v: Verb; id: string; k: string; go: (i: Incident) => void; done: (i: Incident) => boolean }
const CHAIN: Step[] = [
  { v: 'acknowledge', id: 'ack', k: 'A', go: acknowledge, done: (i) => !waits(i) && i.response !== 'unacknowledged' },
  { v: 'attend', id: 'attend', k: 'D', go: attend, done: (i) => i.response === 'attended' || i.response === 'under_control' },
  { v: 'control', id: 'control', k: 'C', go: control, done: (i) => i.response === 'under_control' },
]

// The chain of response: three buttons, the next one large, each with what it does and does not do.
function Chain({ i }: { i: Incident }) {
  const next = CHAIN.find((s) => !s.done(i))
  return <div class="chain" role="group" aria-label={say('act.chain')}>
    {CHAIN.map((s) => {
      const done = s.done(i), now = s === next, ok = can(i, s.v), busy = pending(i, s.v)
      return <button key={s.id} id={s.id} type="button" class={done ? 'done' : now ? 'now' : 'later'} data-tone={waits(i) ? 'alarm' : 'come'} disabled={!ok || busy} onClick={() => s.go(i)}>
        <span class="bt">{done && <Sign n="check" size={16} />}{busy ? say('act.sending') : say('act.' + s.id)}{ok && letters.value && <Kbd k={s.k} />}</span>
        {now && ok && <small>{say('act.' + s.id + '.sub')}</small>}
      </button>
    })}
  </div>
}

function Acts({ i }: { i: Incident }) {
  if (i.closed) return null
  if (!mayAct.value) return <p class="mark"><Sign n="shield" /><span>{say('det.readonly')}</span></p>
  return <div class="acts">
    <Chain i={i} />
    {i.acknowledged && !waits(i) && <p class="took">{say('resp.by', { by: i.acknowledged.by, t: hms(i.acknowledged.at) })}</p>}
    <div class="two">
      <button type="button" id="silence" disabled={!can(i, 'silence') || pending(i, 'silence')} onClick={() => silence(i)}>
        <span class="bt"><Sign n="mute" size={17} />{pending(i, 'silence') ? say('act.sending') : say('act.silence')}{letters.value && <Kbd k="S" />}</span><small>{say('act.silence.sub', { n: SILENCE })}</small>
      </button>
      <button type="button" id="close" class={i.response === 'under_control' ? 'now' : undefined} disabled={!can(i, 'close') || pending(i, 'close')} onClick={() => ask({ what: 'close', id: i.id })}>
        <span class="bt"><Sign n="flag" size={17} />{pending(i, 'close') ? say('act.sending') : say('act.close')}{letters.value && <Kbd k="R" />}</span><small>{say('act.close.sub')}</small>
      </button>
    </div>
    <Next i={i} />
  </div>
}

// Next is the rung of the escalation that comes by itself, and when.
function Next({ i }: { i: Incident }) {
  const n = i.next
  return n && <p class="next" data-step={n.key}><Sign n="clock" size={16} /><span><Until at={n.at} text={(s, over) => say(over ? 'next.now' : 'next.in', { step: step(n.key), s })} /></span></p>
}

const copied = signal('')

async function copy(text: string) {
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(text)
    else if (!copyOld(text)) throw new Error('no clipboard')
    copied.value = text
    setTimeout(() => { if (copied.peek() === text) copied.value = '' }, 2500)
  } catch { copied.value = '!' }
}

// copyOld works on plain http in a local network, where the clipboard interface is missing.
function copyOld(text: string): boolean {
  const el = document.createElement('textarea')
  el.value = text; el.className = 'vh'
  document.body.append(el); el.select()
  try { return document.execCommand('copy') } finally { el.remove() }
}

// The address card is read to 114 over the telephone: large, whole, from small to large.
function Address({ i }: { i: Incident }) {
  const h = originOf(i), g = groupOf(i.group), at = coordinates(h), all = official(h, g), tel = lines(i.category)
  const text = [h?.name, all.replace(/\u00a0/g, ' '), at].filter(Boolean).join('\n')
  const play = i.mode !== 'live' || !!i.closed // nobody calls 114 for a drill, or for what is over
  return <section class="addr" aria-labelledby="ad">
    <div class="ah"><h3 id="ad">{play ? say('addr.title.drill') : say('addr.title', { number: tel[0]?.number })}</h3>
      <button type="button" class="sm" id="copy" onClick={() => void copy(text)}><Sign n={copied.value === text ? 'check' : 'copy'} />{copied.value === text ? say('addr.copied') : copied.value === '!' ? say('addr.copyfail') : say('addr.copy')}</button></div>
    <p class="big">{all || say('addr.unknown')}</p>
    <p class="dim num">{[h?.name, at || say('addr.nocoord')].filter(Boolean).join(' · ')}</p>
    <div class="row">
      {!play && tel.slice(0, 3).map((n, k) => <a key={n.number} class={'sm btn' + (k ? '' : ' first')} href={dial(n.number)} title={t(n.name_key)}><Sign n="phone" />{k ? n.number : say('addr.call', { number: n.number })}<span class="vh">, {t(n.name_key)}</span></a>)}
      {h?.phone && !i.silent && <a class="sm btn" href={dial(h.phone)}><Sign n="phone" />{say('addr.home')}<span class="vh"> {spoken(h.phone)}</span></a>}
    </div>
  </section>
}

// Origins are listed when there is more than one; a single one stands in the head.
function Origins({ i }: { i: Incident }) {
  if (i.origins.length < 2) return null
  return <section class="orig" aria-labelledby="og">
    <h3 id="og">{say('det.origins', { n: i.origins.length })}</h3>
    <ol>{i.origins.map((o, n) => <li key={n}><time class="num">{hms(o.at)}</time><span>{say('det.originLine', { home: homeOf(o.home)?.name ?? '', kind: device(o.device_kind), by: o.person })}</span></li>)}</ol>
  </section>
}

function Timeline({ i }: { i: Incident }) {
  const n = i.timeline.length
  return <section class="tl" aria-labelledby="tl"><h3 id="tl">{say('tl.title')}</h3>
    {n ? <ol>{i.timeline.map((e, k) => <li key={k + e.key} class={'ev-' + e.tone} data-key={e.key}><time class="num" dateTime={e.at}>{hms(e.at)}</time><span class="ti"><Sign n={icon(e.key)} size={15} /></span><span>{sentence(e, i)}</span></li>).reverse()}</ol> : <p class="dim">{say('tl.empty')}</p>}
  </section>
}

// Conversation: what the group says of an open alarm is asked for only when the officer opens it; each such reading is logged.
export const talk = later(() => import('./talk'))
const Talk = talk.part((m) => m.Talk)

// register is the list of households, and the notes of homes.
export const register = later(() => import('./register'))
const HomeNotes = register.part((m) => m.HomeNotes)

function Conversation({ i }: { i: Incident }) {
  const [open, setOpen] = useState(false)
  if (i.closed || i.mode !== 'live' || i.silent || !mayAct.value) return null
  return <details id="talk" open={open} onToggle={(e) => setOpen(e.currentTarget.open)}><summary>{say('det.talk')}</summary>{open && <Talk i={i} key={i.id} />}</details>
}

const drafts = new Map<string, string>() // incident -> words not yet sent; another alarm must not lose them

function NoteEntry({ i }: { i: Incident }) {
  const el = useRef<HTMLInputElement>(null)
  useEffect(() => { if (el.current) el.current.value = drafts.get(i.id) ?? '' }, [i.id])
  const submit = (e: Event) => {
    e.preventDefault()
    const text = el.current!.value.trim().normalize('NFC')
    if (!text || !note(i, text)) return
    drafts.delete(i.id); el.current!.value = ''
  }
  return <form class="note" onSubmit={submit}>
    <label for="note">{say('tl.note')}{letters.value && <Kbd k="N" />}</label><input ref={el} id="note" maxLength={500} autocomplete="off" onInput={(e) => drafts.set(i.id, e.currentTarget.value)} onKeyDown={(e) => { if (e.key === 'Escape') e.currentTarget.blur() }} /><button type="submit" class="sm">{say('tl.send')}</button>
  </form>
}

export function Detail() {
  const i = current.value
  if (!i) return <aside class="right" aria-label={say('det.label')}><div class="empty"><Sign n="gong" size={36} /><p><b>{say('det.none')}</b></p><p>{say('det.none2')}</p></div></aside>
  return <aside class="right" aria-label={say('det.label')} data-id={i.id}>
    <div class={'dh' + (waits(i) ? ' fresh' : '') + (i.mode === 'live' ? '' : ' dr')}><Head i={i} /><p class="vh">{stateWord(i)}</p><Marks i={i} /><Acts i={i} /></div>
    <div class="dscroll" tabIndex={0} role="region" aria-label={say('det.more')}>
      <Address i={i} />{me.value?.role === 'desk' && i.mode === 'live' && !i.closed && <HomeNotes i={i} />}<Conversation i={i} key={i.id} /><Origins i={i} /><Timeline i={i} />
    </div>
    {can(i, 'notes') && <NoteEntry i={i} />}
  </aside>
}
