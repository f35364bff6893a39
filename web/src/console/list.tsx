// The ringing list: what is open, what is practised, what is over.
import { useEffect, useRef } from 'preact/hooks'
import { groups } from '../lib/live'
import { t } from '../lib/i18n'
import { hm } from '../lib/time'
import type { Incident, Roll } from '../lib/types'
import { counts, groupOf, held, isCurrent, pick, rows, tab, type Tab } from './desk'
import { KindMark, Since } from './bits'
import { Sign } from './icons'
import { waits } from './order'
import { area, kind } from './place'
import { say } from './say'

const TABS: Tab[] = ['open', 'drill', 'done']
const MOST_DOTS = 15

// dot is the look of one home in a row: shape first, colour second.
export function dot(r: Roll, origin: boolean): string {
  if (r.answer === 'need_help') return 'help'
  if (origin) return 'alarm'
  if (r.answer === 'safe' || r.answer === 'coming') return r.answer
  return r.answer ? 'away' : 'wait'
}

function Dots({ i }: { i: Incident }) {
  const from = new Set(i.origins.map((o) => o.home)), n = (a: string) => i.homes.filter((h) => h.answer === a).length
  return <span class={'dots' + (i.homes.length > 10 ? ' many' : '')}>
    {i.homes.slice(0, MOST_DOTS).map((h) => <i key={h.home} class={dot(h, from.has(h.home))} />)}
    {i.homes.length > MOST_DOTS && <small class="num">+{i.homes.length - MOST_DOTS}</small>}
    <span class="vh">{say('row.dots', { coming: n('coming'), safe: n('safe'), need: n('need_help'), none: n('') })}</span>
  </span>
}

// stateWord is the response in words, as the desk sees it.
export function stateWord(i: Incident): string {
  if (i.closed) return say('row.closed')
  if (i.mode !== 'live') return t(i.mode)
  if (i.condition === 'pre_alarm' && waits(i)) return say('row.prealarm')
  if (waits(i)) return i.response === 'unacknowledged' ? say('row.unack') : say('row.desk')
  return say('row.' + i.response)
}

function Row({ i, on }: { i: Incident; on: boolean }) {
  const g = groupOf(i.group), fresh = waits(i), old = !!i.closed
  return <button type="button" class={'inc' + (fresh ? ' fresh' : '') + (on ? ' on' : '') + (i.mode === 'live' ? '' : ' dr') + (i.silent ? ' silent' : '')} data-id={i.id} data-state={i.closed ? 'closed' : i.response} data-mode={i.mode} aria-current={on ? 'true' : undefined} onClick={() => pick(i.id)}>
    <KindMark i={i} />
    <span class="it">
      <span class="l1"><b>{kind(i)}</b><span class="code num">{i.code}</span><span class="el num">{old ? hm(i.opened_at) : <Since at={i.opened_at} />}</span></span>
      <span class="l2">{area(g)}</span>
      <span class="l3">
        <em class={fresh ? 'new' : undefined}>{stateWord(i)}</em>
        {i.silent && <span class="hush"><Sign n="mute" size={13} />{say('row.silent')}</span>}
        {i.spreading && !old && <strong class="spr">{say('row.spread')}</strong>}
        {i.need_help > 0 && !old && <strong>{say('row.need', { n: i.need_help })}</strong>}
        {!old && !i.silent && <Dots i={i} />}
      </span>
      {old && i.closed && <span class="l2">{t('cause_' + i.closed.cause)}{i.mode === 'live' ? '' : ', ' + t(i.mode).toLocaleLowerCase()}</span>}
    </span>
  </button>
}

function Tabs() {
  const move = (e: KeyboardEvent) => {
    const by = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0
    if (!by) return
    e.preventDefault()
    tab.value = TABS[(TABS.indexOf(tab.value) + by + TABS.length) % TABS.length]
    document.getElementById('tab-' + tab.value)?.focus()
  }
  return <div class="tabs" role="tablist" aria-label={say('tab.label')} onKeyDown={move}>{TABS.map((k) => (
    <button key={k} type="button" role="tab" id={'tab-' + k} aria-selected={tab.value === k} aria-controls="incs" tabIndex={tab.value === k ? 0 : -1} onClick={() => (tab.value = k)}>
      {say('tab.' + k)}<span class="num">{counts.value[k]}</span>
    </button>))}</div>
}

function Empty() {
  const homes = groups.value.reduce((n, g) => n + g.homes.length, 0)
  return <div class="empty"><Sign n={tab.value === 'open' ? 'shield' : 'gong'} size={36} /><p><b>{say('list.empty.' + tab.value)}</b></p>{tab.value === 'open' && homes > 0 && <p>{say('list.empty.open2', { homes, groups: groups.value.length })}</p>}</div>
}

const REST = 1500 // ms after the last movement of the pointer, before rows may move again

export function List() {
  const timer = useRef(0), box = useRef<HTMLDivElement>(null)
  const point = () => { held.value = true; clearTimeout(timer.current); timer.current = window.setTimeout(() => (held.value = false), REST) }
  const leave = () => { clearTimeout(timer.current); held.value = false }
  const l = rows.value, at = l.find((i) => isCurrent(i.id))?.id
  useEffect(() => { box.current?.querySelector<HTMLElement>('.inc.on')?.scrollIntoView({ block: 'nearest' }) }, [at])
  return <aside class="left" aria-label={say('list.label')}>
    <Tabs />
    <div ref={box} id="incs" class="incs" role="tabpanel" aria-labelledby={'tab-' + tab.value} tabIndex={l.length ? -1 : 0} onPointerMove={point} onPointerLeave={leave}>
      {l.length ? <ul>{l.map((i) => <li key={i.id}><Row i={i} on={isCurrent(i.id)} /></li>)}</ul> : <Empty />}
    </div>
  </aside>
}

