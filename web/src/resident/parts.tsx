// Parts of more than one screen of the phone.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t as common } from '../lib/i18n'
import { connection, group, me, now } from '../lib/live'
import { ConnectionBanner, Icon, Lane, QueueBanner, Sheet, kindIcon, seat } from '../lib/ui'
import { ms } from '../lib/time'
import type { Category, Incident } from '../lib/types'
import { alarms, danger, home, minimised, news, open, others, past, raise, show, silence, t, tab, unit, whose, type Tab } from './model'

export function Top() {
  const g = group.value, c = connection.value
  return <header class="top"><div class="who"><h1>{g?.name ?? 'Kẻng'}</h1><p>{[g?.neighbourhood, unit()].filter(Boolean).join(', ')}</p></div>
    <span class={'net ' + (c === 'live' ? 'ok' : c === 'lost' ? 'bad' : 'mid')} role="status" data-testid="net" data-connection={c}><Icon n="wifi" />{common(c === 'live' ? 'online' : c === 'lost' ? 'offline' : 'connecting')}</span></header>
}

export function Tabs() {
  const all: [Tab, string, string][] = [['gong', 'gong', t('tabGong')], ['group', 'people', t('tabGroup')], ['more', 'more', t('tabMore')]]
  return <nav class="tabs" aria-label={t('tabs')}>{all.map(([k, icon, label]) => <button key={k} type="button" data-testid={'tab-' + k} aria-current={tab.value === k ? 'page' : undefined} onClick={() => { past.value = null; tab.value = k }}><Icon n={icon} size={24} />{label}{k === 'group' && news.value > 0 && <i class="dot">{news.value}</i>}</button>)}</nav>
}

export const Banners = () => <div class="banners"><ConnectionBanner /><QueueBanner /></div>

export const Street = ({ i }: { i: Incident }) => {
  const g = group.value
  return g && i.group === g.id ? <Lane seats={g.homes.map((h) => seat(i, h, me.value!.home))} label={t('homes', { n: g.homes.length })} /> : null
}

// CallLink dials, and lays the address card beneath, so that it is there to be read when the phone is on loudspeaker.
export const CallLink = ({ number, incident, main, big }: { number: string; incident?: Incident; main?: boolean; big?: boolean }) => (
  <a class={'btn ' + (big ? 'big ' : 'out ') + (main ? 'alarm' : big ? 'plain' : '')} href={'tel:' + number} data-testid={'call-' + number} onClick={() => { open.value = { what: 'call', incident } }}><Icon n="phone" /><span>{t('call114', { n: number })}</span></a>)

// The question before raising: for a tap, for an assistive click, and for a danger that is not loud.
export const pickable: Category[] = ['fire', 'intrusion', 'medical', 'other']
export function AskSheet() {
  const [kind, setKind] = useState<Category | undefined>(undefined), quiet = kind === 'holdup'
  const tile = (c: Category, cls: string, label: string, icon: string) => (
    <button key={c} type="button" class={cls} data-kind={c} aria-pressed={kind === c} onClick={() => setKind(kind === c ? undefined : c)}><Icon n={icon} size={cls === 'kind' ? 32 : 24} />{label}</button>)
  return <Sheet id="ask" label={t('askTitle')} onClose={() => { open.value = null }}>
    <h2>{t(quiet ? 'askSilent' : 'askTitle')}</h2>
    <p id="ask-body" role="status">{quiet ? t('silentBody', { unit: unit() }) : t('askBody', { n: others.value.length, unit: unit() })}</p>
    <button type="button" class={'big ' + (quiet ? 'calm' : 'alarm')} data-testid="ask-yes" onClick={() => raise(kind)}><Icon n={quiet ? 'shield' : 'gong'} />{quiet ? t('silentYes') : t('askYes')}</button>
    <p class="sub">{t('askKind')}</p>
    <div class="kinds four" role="group" aria-label={t('askKind')}>{pickable.map((c) => tile(c, 'kind', t('pick_' + c), c === 'other' ? 'dots' : kindIcon[c]))}</div>
    {tile('holdup', 'big plain quiet', t('silentKind'), 'mute')}
    <button type="button" class="big plain" data-testid="ask-no" onClick={() => { open.value = null }}>{t('askNo')}</button>
  </Sheet>
}

export function Kinds({ picked, onPick }: { picked: Category; onPick: (c: Category) => void }) {
  return <div class="kinds four" role="group" aria-label={t('what')}>{pickable.map((c) => <button key={c} type="button" class="kind" data-kind={c} aria-pressed={picked === c} onClick={() => onPick(c)}><Icon n={c === 'other' ? 'dots' : kindIcon[c]} size={32} />{t('pick_' + c)}</button>)}</div>
}

// Taken says who has taken the incident, in one line.
export function Taken({ i }: { i: Incident }) {
  if (i.mode !== 'live' && !i.acknowledged) return null // a drill never reaches the duty desk
  const a = i.acknowledged, done = i.response === 'under_control' ? t('controlled') : i.response === 'attended' ? t('attendedBy') : ''
  const text = done || (a ? (a.role === 'desk' ? t('takenDesk') : t('takenBy', { name: a.by })) : t('notTaken'))
  return <span class={'took ' + (a || done ? 'y' : 'n')} data-testid="taken" data-response={i.response}><Icon n={a || done ? 'shield' : 'clock'} />{text}</span>
}

// Muting is two steps: my phone at once, then my home's own siren. Never a neighbour's.
export const MuteButton = ({ onMute }: { onMute: () => void }) => <button type="button" class="out" data-testid="mute" onClick={onMute}><Icon n="mute" /><span>{t('muteMine')}</span></button>

export function MuteSiren({ i }: { i: Incident }) {
  const h = home.value, resting = i.silences.some((s) => s.home === h?.id && ms(s.until) > now.value)
  return h?.siren && i.annunciation === 'sounding' && !resting ? <button type="button" class="out" data-testid="mute-siren" onClick={() => silence(i, h.id)}><Icon n="mute" /><span>{t('muteHome')}</span></button> : null
}

// ActiveBar leads back to an open incident that was put aside.
export function ActiveBar() {
  const i = alarms.value.find((a) => minimised.value.has(a.id))
  return i ? <button type="button" class={'activebar ' + i.mode} data-testid="active-bar" onClick={() => show(i)}><Icon n={kindIcon[i.category]} size={28} /><span><b>{i.mode === 'live' ? t('active') : common(i.mode)}</b>{t('newAlarm', { what: danger(i.category), where: whose(i.origins[0]?.home ?? '') })}</span><Icon n="chev" /></button> : null
}

// Heading takes the focus when its screen appears, so that a screen reader starts there.
export function Heading({ children, id, cls }: { children: ComponentChildren; id?: string; cls?: string }) {
  const el = useRef<HTMLHeadingElement>(null)
  useEffect(() => { el.current?.focus({ preventScroll: true }) }, [])
  return <h1 ref={el} id={id} class={cls} tabIndex={-1}>{children}</h1>
}
