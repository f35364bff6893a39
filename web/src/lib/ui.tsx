import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { t } from './i18n'
import { connection, lostAt } from './live'
import { forget, queue, refusals, signedOut, type Refused } from './outbox'
import { hms } from './time'
import type { Answer, Category, Home, Incident, Roll } from './types'

const P: Record<string, ComponentChildren> = {
  check: <path d="M5 12.5l4.5 4.5L19 7.5" />,
  run: <><circle cx="14.5" cy="4.5" r="1.8" fill="currentColor" stroke="none" /><path d="M4.5 11.5l3.5-3 4 1.5-2.5 5 3.5 2.5-1 4.5M9.5 15l-1.5 3H4.5M12 10l2.5 2.5 3.5-.5" /></>,
  sos: <><path d="M12 3l9.5 17h-19z" /><path d="M12 9.5v5" /><path d="M12 17.4v.1" /></>,
  dots: <path d="M6 12h.01M12 12h.01M18 12h.01" stroke-width="3" />,
  flame: <path d="M12 3c.5 3.5 5 5.500 5 10.500a5 5 0 0 1-10 0c0-2 1-3.200 2-4.200.2 1.600 1 2.400 1.800 2.700C10.500 8.500 11 5.500 12 3z" />,
  mask: <><path d="M3.500 8.500c3-1 5.500-.5 8.500.5 3-1 5.500-1.500 8.500-.5.5 4-1.500 7.500-4.500 7.500-2 0-2.500-2-4-2s-2 2-4 2c-3 0-5-3.500-4.500-7.500z" /><path d="M7.500 11.500H9M15 11.500h1.500" /></>,
  heart: <><path d="M12 20s-7.500-4.600-7.500-10A4.200 4.200 0 0 1 12 7.500 4.200 4.200 0 0 1 19.500 10c0 5.400-7.500 10-7.500 10z" /><path d="M12 10v5M9.500 12.500h5" /></>,
  cloud: <path d="M7 17.500a4 4 0 0 1-.4-8 5.500 5.500 0 0 1 10.600.5 3.800 3.800 0 0 1 .3 7.500zM9.500 20.500h5" />,
  drop: <><path d="M12 3.500c3 3.800 5.500 6.600 5.500 10a5.500 5.500 0 0 1-11 0c0-3.400 2.500-6.200 5.500-10z" /><path d="M9.500 14a2.500 2.500 0 0 0 2.500 2.500" /></>,
  tool: <path d="M14.500 6.500a4 4 0 0 1 5-1.500l-2.700 2.700 1.500 1.500L21 6.500a4 4 0 0 1-5.500 5L8 19a2 2 0 0 1-3-3l7.500-7.500a4 4 0 0 1 2-2z" />,
  hand: <path d="M8 12V6a1.500 1.500 0 0 1 3 0v5M11 10.500V4.500a1.500 1.500 0 0 1 3 0v6M14 10.500V6.500a1.500 1.500 0 0 1 3 0V14c0 4-2 6.500-5.500 6.500-3 0-4.500-1.500-6-4L4 13.500a1.500 1.500 0 0 1 2.500-1.500L8 13.500" />,
  phone: <path d="M6 3.500h3.500l1.500 4.500-2.300 1.600a12 12 0 0 0 5.700 5.700L16 13l4.500 1.500V18a2.500 2.500 0 0 1-2.700 2.500A16 16 0 0 1 3.500 6.200 2.500 2.500 0 0 1 6 3.500z" />,
  tip: <><path d="M4 5h16v11H9l-5 4z" /><path d="M8 9h8M8 12h5" /></>,
  gong: <><path d="M12 1.500v4" /><circle cx="12" cy="13" r="7.500" /><circle cx="12" cy="13" r="2.300" /><path d="M1.800 9.800a9.500 9.500 0 0 0 0 6.400M22.200 9.800a9.500 9.500 0 0 1 0 6.400" /></>,
  people: <><circle cx="9" cy="8" r="3" /><path d="M3.500 19c0-3.500 2.500-5.500 5.500-5.500s5.500 2 5.500 5.500M16 5.500a3 3 0 0 1 0 5.500M17.500 14c2 .7 3 2.500 3 5" /></>,
  more: <path d="M4 7h16M4 12h16M4 17h10" />,
  mute: <><path d="M4 9.500v5h3.500L12 18.500v-13L7.500 9.500z" /><path d="M16 9.500l5 5M21 9.500l-5 5" /></>,
  sound: <><path d="M4 9.500v5h3.500L12 18.500v-13L7.500 9.500z" /><path d="M15.500 9a4.500 4.500 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11" /></>,
  x: <path d="M6 6l12 12M18 6L6 18" />, minus: <path d="M7 12h10" />,
  wifi: <path d="M4 10a12 12 0 0 1 16 0M7 13.500a7.500 7.500 0 0 1 10 0M10 17a3 3 0 0 1 4 0" />,
  clock: <><circle cx="12" cy="12" r="8.500" /><path d="M12 7.500V12l3 2" /></>,
  pin: <><path d="M12 21s-6.500-6-6.500-11a6.500 6.500 0 0 1 13 0c0 5-6.500 11-6.500 11z" /><circle cx="12" cy="10" r="2.300" /></>,
  shield: <><path d="M12 3l7.500 3v5.500c0 4.500-3 8-7.500 9.500-4.500-1.500-7.500-5-7.500-9.500V6z" /><path d="M9 12l2.200 2.200L15.500 10" /></>,
  moon: <path d="M19.500 14A8 8 0 1 1 10 4.500 6.500 6.500 0 0 0 19.500 14z" />,
  chev: <path d="M9 5l7 7-7 7" />, flag: <path d="M5 21V4M5 5h12l-2 3.500 2 3.500H5" />,
  door: <><path d="M6 20.500V4.500h9v16M4 20.500h16" /><path d="M12 12.500v.1" /></>,
}
export type IconName = 'check' | 'run' | 'sos' | 'dots' | 'flame' | 'mask' | 'heart' | 'cloud' | 'drop' | 'tool' | 'hand' | 'phone' | 'tip' | 'gong' | 'people' | 'more' | 'mute' | 'sound' | 'x' | 'minus' | 'wifi' | 'clock' | 'pin' | 'shield' | 'moon' | 'chev' | 'flag' | 'door'

export const Icon = ({ n, size }: { n: string; size?: number }) => <svg class="ico" viewBox="0 0 24 24" aria-hidden="true" style={size ? `width:${size}px;height:${size}px` : undefined}>{P[n]}</svg>

export const kindIcon: Record<Category, IconName> = { fire: 'flame', gas: 'cloud', co: 'cloud', intrusion: 'mask', holdup: 'hand', medical: 'heart', panic: 'gong', flood: 'drop', technical: 'tool', other: 'gong' }

// How a home looks: wait (dashed, no answer), away (outline), safe, warn (works in part), coming, help, alarm.
export type Look = 'wait' | 'away' | 'safe' | 'warn' | 'coming' | 'help' | 'alarm'
const lookIcon: Record<Look, IconName> = { wait: 'dots', away: 'minus', safe: 'check', warn: 'sos', coming: 'run', help: 'sos', alarm: 'gong' }
export const lookOf: Record<Answer, Look> = { safe: 'safe', coming: 'coming', need_help: 'help', away: 'away', cannot_help: 'away' }

export const HouseGlyph = ({ look, icon }: { look: Look; icon?: IconName }) => (
  <svg class={'house ' + look} viewBox="0 0 48 48" aria-hidden="true">
    <path class="hb" d="M7 21.500 L24 6 L41 21.500 V40 a3 3 0 0 1 -3 3 H10 a3 3 0 0 1 -3 -3 Z" />
    <g transform="translate(13.500 17.500) scale(.875)" class="hi">{P[icon ?? lookIcon[look]]}</g>
  </svg>
)

export interface Seat { id: string; name: string; look: Look; icon?: IconName; word: string; mine?: boolean }

// seat says how one home stands in an incident. An origin keeps the sign of its danger unless it calls for help.
export function seat(i: Incident, h: Home, mine: string): Seat {
  const roll = i.homes.find((r) => r.home === h.id), origin = i.origins.some((o) => o.home === h.id)
  const look: Look = roll?.answer === 'need_help' ? 'help' : origin ? 'alarm' : roll?.answer ? lookOf[roll.answer] : 'wait'
  const heard = roll?.contact === 'device_sounding' ? 'sound' : roll?.contact === 'phone_received' ? 'phone' : undefined
  const word = (origin ? [t('alarm')] : []).concat(roll?.answer ? t(roll.answer) : origin ? [] : t(roll?.contact ?? 'no_contact')).join(', ')
  return { id: h.id, name: shortName(h), look, icon: look === 'alarm' ? kindIcon[i.category] : look === 'wait' ? heard : undefined, word, mine: h.id === mine }
}

// ready says how one home stands when nothing happens.
export function ready(h: Home, mine: string): Seat {
  return { id: h.id, name: shortName(h), look: h.state === 'green' ? 'safe' : h.state === 'amber' ? 'warn' : 'wait', icon: h.state === 'red' ? 'x' : undefined, word: t(h.state), mine: h.id === mine }
}

// shortName is what fits under a house: "10" of "Nhà số 10", "Bình" of "Nhà ông Nguyễn Văn Bình".
export function shortName(h: { name: string }): string { return h.name.match(/số\s+(.+)$/i)?.[1] ?? h.name.split(' ').at(-1) ?? h.name }

// cols spreads n homes over rows of equal length, at most most in one.
export const cols = (n: number, most: number) => Math.ceil(n / Math.ceil(Math.max(n, 1) / most))

// Lane draws the group as its street: 1 to 30 homes, in rows of equal length as far as the text size allows.
export function Lane({ seats, label, most = 7 }: { seats: Seat[]; label: string; most?: number }) {
  return <ol class="lane" aria-label={label} style={`--cols:${cols(seats.length, most)}`}>{seats.map((s) => (
    <li key={s.id} class={s.mine ? 'me' : undefined} data-home={s.id}><HouseGlyph look={s.look} icon={s.icon} /><span class="nm">{s.mine ? t('you') : s.name}</span><span class="vh">: {s.word}</span></li>))}</ol>
}

export const StateTag = ({ look, icon, label }: { look: Look; icon?: IconName; label: string }) => <span class={'tag ' + look}><Icon n={icon ?? lookIcon[look]} />{label}</span>

// AnswerButton takes a finger only where it came down: what moves under it meanwhile is not what was meant.
let down = new Event('')
window.onpointerdown = (e) => { down = e }
export const AnswerButton = ({ look, label, sub, onPick }: { look: Look; label: string; sub?: string; onPick: () => void }) => (
  <button type="button" class={'abtn ' + look} onClick={(e) => { if (!(e.timeStamp - down.timeStamp < 1e3) || e.currentTarget.contains(down.target as Node)) onPick() }}><Icon n={look === 'away' ? 'door' : lookIcon[look]} size={look === 'away' ? 24 : 32} /><span><b>{label}</b>{sub && <small>{sub}</small>}</span></button>
)

// Sheet is a dialog from below. It takes the focus, keeps it, and gives it back; Escape and the backdrop close it.
export function Sheet({ label, onClose, children, id }: { label: string; onClose: () => void; children: ComponentChildren; id?: string }) {
  const el = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const d = el.current!, back = document.activeElement as HTMLElement | null
    d.showModal()
    return () => { d.close(); back?.focus?.() }
  }, [])
  return <dialog ref={el} class="sheet" id={id} aria-label={label} onCancel={(e) => { e.preventDefault(); onClose() }} onClose={() => { if (el.current) onClose() }} onClick={(e) => { if (e.target === el.current) onClose() }}>{children}</dialog>
}

// QueueBanner tells what has not been sent, and what the server refused, in words.
export function QueueBanner() {
  const n = queue.value.filter((d) => !d.quiet && d.tries > 0).length
  return <>
    {n > 0 && <p class="bnr" role="status" data-testid="queue"><Icon n="clock" /><span>{signedOut.value ? t('signedOut') : t('waiting', { n })}</span>{signedOut.value && <a href="/welcome">{t('close')}</a>}</p>}
    {refusals.value.map((r) => <p key={r.id} class="bnr bad" role="alert" data-testid="refused"><Icon n="sos" /><span>{r.deed.told && <b>{r.deed.told}</b>}{why(r)}</span><button type="button" onClick={() => forget(r.id)}>{t('dismiss')}</button></p>)}
  </>
}

export function why(r: Refused): string {
  const p = r.problem
  if (!p) return t('expired', { n: Math.round(r.deed.within / 1000) })
  return p.detail || p.title || t('refusedPlain', { n: p.status })
}

// ConnectionBanner says since when the numbers stand still.
export function ConnectionBanner() {
  return connection.value === 'lost' ? <p class="bnr bad" role="alert" data-testid="lost"><Icon n="wifi" /><span><b>{t('lostTitle')}</b>{t('lostSince', { t: hms(lostAt.value) })}</span></p> : null
}

// ago is a length of time in words, in the coarsest unit that is still true.
export function ago(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds))
  return s < 100 ? t('secondsAgo', { n: s }) : s < 6000 ? t('minutesAgo', { n: Math.floor(s / 60) }) : t('hoursAgo', { n: Math.floor(s / 3600) })
}
export const after = (seconds: number) => seconds < 100 ? t('afterSeconds', { n: Math.floor(seconds) }) : t('afterMinutes', { n: Math.floor(seconds / 60) })

export const rollOf = (i: Incident, home: string): Roll | undefined => i.homes.find((r) => r.home === home)
