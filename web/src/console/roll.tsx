// The roll-call: one card per home of the group, and a line that tells everything about the home that is chosen.
import { signal } from '@preact/signals'
import { t } from '../lib/i18n'
import { hms, ms } from '../lib/time'
import type { Group, Home, Incident, Roll } from '../lib/types'
import { HouseGlyph, StateTag, after, kindIcon, lookOf, type IconName, type Look } from '../lib/ui'
import { can } from './acts'
import { ask, current, groupOf } from './desk'
import { Sign } from './icons'
import { dial, spoken } from './place'
import { say } from './say'

const DENSE = 8 // more homes than this stand in rows of small cards

const picked = signal<Record<string, string>>({}) // incident -> home that the officer chose for the line below
const first = new Map<string, string>() // incident -> home shown before that; it stays, so that a button never changes its home under the pointer

export interface Line { home: Home; roll: Roll; origin: boolean; look: Look; icon?: IconName; word: string; reach: string }

// line says how one home stands: its look, one word, and how far the alarm got.
export function line(i: Incident, home: Home): Line {
  const roll = i.homes.find((r) => r.home === home.id) ?? { home: home.id, contact: 'no_contact', answer: '', ladder: 0, at: null, by: '', on_behalf: false, seconds: 0, people: [], siren: { total: 0, sounding: 0, accepted: 0, silent: 0 } }
  const origin = i.origins.some((o) => o.home === home.id)
  const look: Look = roll.answer === 'need_help' ? 'help' : origin ? 'alarm' : roll.answer ? lookOf[roll.answer] : 'wait'
  const word = roll.answer ? t(roll.answer) : origin ? say('a.origin') : say('a.none')
  return { home, roll, origin, look, icon: look === 'alarm' ? kindIcon[i.category] : undefined, word, reach: reach(i, roll) }
}

// reach is the rung of the ladder in words.
function reach(i: Incident, r: Roll): string {
  if (i.silent) return say('l.none')
  if (r.knock) return say('l.knock')
  if (r.contact === 'phone_received') return say('l.3.phone')
  if (r.ladder === 3 && i.annunciation !== 'sounding') return say('l.3.past') // silenced, resting or over: it does not sound now
  if (r.contact === 'no_contact' && r.delivery && !r.siren.accepted) return say('d.' + r.delivery) // no siren took it: what is known is of the phones
  return say('l.' + Math.max(0, Math.min(4, r.ladder)))
}

// worst is the home the officer should see first.
function worst(ls: Line[]): Line | undefined {
  return ls.find((l) => l.look === 'help') ?? ls.find((l) => !l.origin && !l.roll.answer && l.roll.ladder < 3) ?? ls.find((l) => !l.origin && !l.roll.answer) ?? ls.find((l) => l.origin) ?? ls[0]
}

// short is what people call a home: "Số 10", "Bà Lan" of "Nhà bà Bùi Thị Lan", "Tạp hoá Tươi Sáng".
export function short(name: string): string {
  const s = name.normalize('NFC').replace(/^nhà\s+/i, ''), person = s.match(/^(ông|bà|anh|chị|cô|chú|bác|cụ|thầy)\s.*?(\S+)$/i)
  const out = person ? `${person[1]} ${person[2]}` : s
  return out.charAt(0).toLocaleUpperCase() + out.slice(1)
}

// secondsTo is how long a home took to answer, from the opening.
export const secondsTo = (i: Incident, r: Roll) => (r.at ? Math.max(0, (ms(r.at) - ms(i.opened_at)) / 1000) : 0)

// lot is the first part of the address, unless the home is called by it anyway.
const lot = (h: Home) => { const first = h.address.split(',')[0]; return first === short(h.name) ? '' : first }

function Card({ i, l, lots, on, pick }: { i: Incident; l: Line; lots: boolean; on: boolean; pick: () => void }) {
  const { home, roll } = l, answered = !!roll.answer
  return <li class={l.look + (l.origin ? ' from' : '') + (on ? ' on' : '')} data-home={home.id} data-answer={roll.answer} data-ladder={roll.ladder} data-contact={roll.contact}>
    <button type="button" class="card" aria-pressed={on} onClick={pick}>
      <HouseGlyph look={l.look} icon={l.icon} />
      <span class="ct"><b title={home.name}>{short(home.name)}</b>
        {lots && <span class="adr">{lot(home) || '\u00a0'}</span>}
        <span class="st">{l.word}</span>
        <span class="tm num">{answered ? after(secondsTo(i, roll)) : l.reach}</span></span>
      {roll.on_behalf && <span class="bh">{say('r.behalfMark')}</span>}
    </button>
  </li>
}

const arrows = (e: KeyboardEvent) => {
  const by = e.key === 'ArrowRight' || e.key === 'ArrowDown' ? 1 : e.key === 'ArrowLeft' || e.key === 'ArrowUp' ? -1 : 0
  if (!by) return
  const cards = [...(e.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('.card')], at = cards.indexOf(e.target as HTMLElement)
  e.preventDefault()
  cards[Math.max(0, Math.min(cards.length - 1, at + by))]?.focus()
}

function Ladder({ l }: { l: Line }) {
  const { roll } = l, s = roll.siren
  const steps = [roll.ladder >= 1, s.accepted > 0 || s.sounding > 0, s.sounding > 0, roll.contact === 'phone_received' || (!!roll.answer && !roll.on_behalf), !!roll.answer]
  return <ol class="ladder" aria-label={say('s.label')}>{steps.map((done, n) => <li key={n} class={done ? 'done' : undefined}><Sign n={done ? 'check' : 'minus'} size={14} />{say('s.' + (n + 1))}<span class="vh">: {say(done ? 's.done' : 's.not')}</span></li>)}</ol>
}

function People({ r }: { r: Roll }) {
  if (!r.people.length) return <span class="dim">{say('r.nobody')}</span>
  return <ul class="ppl">{r.people.map((p, n) => <li key={n}><b>{p.name || t('member')}</b> {p.answer ? t(p.answer).toLocaleLowerCase() : say('a.none')} <span class="num dim">{hms(p.at)}</span></li>)}</ul>
}

function HomeLine({ i, l }: { i: Incident; l: Line }) {
  const { home, roll } = l
  return <div class={'hl ' + l.look} data-home={home.id}>
    <div class="who"><b>{home.name}</b><span>{home.address}</span><span class="dim">{home.siren ? say('r.sirens', { sounding: roll.siren.sounding, total: roll.siren.total }) : say('r.nosiren')}</span></div>
    <div class="how"><Ladder l={l} /><People r={roll} /></div>
    <div class="do">
      {home.phone ? <a class="sm btn" href={dial(home.phone)}><Sign n="phone" />{spoken(home.phone)}</a> : <span class="dim np">{say('r.nophone')}</span>}
      {can(i, 'answers') && <button type="button" class="sm" data-behalf={home.id} onClick={() => ask({ what: 'behalf', id: i.id, home: home.id })}><Sign n="tip" />{say('r.behalf')}</button>}
    </div>
  </div>
}

function Lane({ i, g }: { i: Incident; g: Group }) {
  const ls = g.homes.map((h) => line(i, h)), lots = g.homes.filter(lot).length * 2 > g.homes.length
  if (!ls.length) return <p class="quiet">{say('r.nohome')}</p>
  if (!first.has(i.id)) first.set(i.id, worst(ls)!.home.id)
  const chosen = picked.value[i.id] ?? first.get(i.id)
  const on = ls.find((l) => l.home.id === chosen) ?? ls[0]
  return <>
    <ol class={'lane7' + (ls.length > DENSE ? ' dense' : '')} style={`--n:${ls.length}`} data-arrows onKeyDown={arrows} aria-label={say('r.title')}>
      {ls.map((l) => <Card key={l.home.id} i={i} l={l} lots={lots} on={l.home.id === on.home.id} pick={() => (picked.value = { ...picked.value, [i.id]: l.home.id })} />)}
    </ol>
    <HomeLine i={i} l={on} />
  </>
}

export function RollCall() {
  const i = current.value, g = i && groupOf(i.group)
  if (!i || !g) return <section class="roll none"><p class="quiet">{say('r.none')}</p></section>
  const n = (a: string) => i.homes.filter((h) => h.answer === a).length, answered = i.homes.filter((h) => h.answer).length
  return <section class="roll" aria-labelledby="rl">
    <div class="rh"><h2 id="rl">{say('r.title')} <span>{g.name.charAt(0).toLocaleLowerCase() + g.name.slice(1)}</span></h2>
      {!i.silent && <><span class="prog num">{say('r.count', { n: answered, m: i.homes.length })}<span class="hd">{say('r.heard', { n: i.heard, m: i.homes.length })}</span></span>
        <span class="leg">
          {n('coming') > 0 && <StateTag look="coming" label={say('r.coming', { n: n('coming') })} />}
          {n('safe') > 0 && <StateTag look="safe" label={say('r.safe', { n: n('safe') })} />}
          {i.need_help > 0 && <StateTag look="help" label={say('r.need', { n: i.need_help })} />}
        </span></>}
    </div>
    {i.silent ? <p class="quiet"><Sign n="mute" size={22} />{say('r.silent')}</p> : <Lane i={i} g={g} />}
  </section>
}
