// Loaded when it is wanted: what an incident's group says, and the desk's notices to groups with how far they reached.
import { signal } from '@preact/signals'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { call, get, uid } from '../lib/api'
import { t as common, words } from '../lib/i18n'
import { groups, hint, me, now } from '../lib/live'
import { onAccepted, queue, send } from '../lib/outbox'
import { counted, threadOf, type Message, type Notice } from '../lib/talk'
import { dm, hm, ms } from '../lib/time'
import type { Incident } from '../lib/types'
import { mayAct, homeOf } from './desk'
import { Sign } from './icons'
import style from './talk.lazy.css'
import { vi } from './words/talk.vi'

const w = words(vi, () => import('./words/talk.en'))

const link = document.createElement('link')
link.rel = 'stylesheet'; link.href = style
document.head.append(link)

// What was said here stands in the thread at once.
let taking: { path: string; take: (m: Message) => void } | null = null
onAccepted((d, answer) => { if (d.path === taking?.path) taking.take(answer as Message) })

const within = 20_000 // ms: advice for an alarm is not given minutes later

// Talk is the thread of an open incident. What is read here is written into the log of who saw what.
export function Talk({ i }: { i: Incident }) {
  const t = useMemo(() => threadOf(i.group, i.id), [i.id]), path = `/api/v1/chat/${encodeURIComponent(i.group)}`, el = useRef<HTMLInputElement>(null)
  useEffect(() => t.stop, [t])
  useEffect(() => { taking = { path, take: t.take } }, [t])
  const say = (e: Event) => {
    e.preventDefault()
    const text = el.current!.value.trim().normalize('NFC')
    if (!text) return
    send(path, { text, incident: i.id }, { within, told: w('say') })
    el.current!.value = ''
  }
  const state = t.state.value, waiting = queue.value.filter((d) => d.path === path).length
  return <div class="talkbox">
    <p class="dim">{w('logged')}</p>
    {state !== 'ready' ? <p class="dim" role="status">{w(state)}</p> : <div role="log" aria-label={w('title')} tabIndex={0} class="talk"><ol>{t.list.value.length === 0 && <li class="dim">{w('empty')}</li>}{t.list.value.map((m) => <li key={m.id} data-message={m.id} class={m.role === 'desk' ? 'own' : undefined}><p class="dim num">{hm(m.at)} · <b>{m.by}</b>{homeOf(m.home) && !homeOf(m.home)!.name.includes(m.by) ? `, ${homeOf(m.home)!.name}` : ''}</p><Body m={m} /></li>)}</ol></div>}
    {mayAct.value && state === 'ready' && <form class="note" onSubmit={say}><label for="talk-say">{w('say')}</label><input ref={el} id="talk-say" maxLength={500} autocomplete="off" onKeyDown={(e) => { if (e.key === 'Escape') e.currentTarget.blur() }} /><button type="submit" id="talk-send" class="sm">{waiting ? w('sending') : w('send')}</button></form>}
  </div>
}

function Body({ m }: { m: Message }) {
  if (m.removed) return <p class="dim">{w('gone')}</p>
  if (m.file?.media.startsWith('image/')) return <a href={m.file.url} target="_blank" rel="noreferrer"><img src={m.file.url} width={m.file.width} height={m.file.height} alt={w('photo', { by: m.by })} loading="lazy" /></a>
  if (m.file) return <audio controls preload="none" src={m.file.url} aria-label={w('voice', { by: m.by, n: m.file.seconds })} />
  return <p class="tx">{counted(m) && <b>{m.title} </b>}{m.text}</p>
}

const list = signal<Notice[] | 'failed' | null>(null)
async function load() { try { list.value = await get<Notice[]>('/api/v1/notices') } catch { if (!Array.isArray(list.value)) list.value = 'failed' } }
const draft = signal({ title: '', text: '', until: '', chosen: [] as string[] })

// Notices is the pane where the desk tells groups something and sees how many have seen it.
export function Notices() {
  const [wrong, setWrong] = useState(''), [busy, setBusy] = useState(false), [ask, setAsk] = useState(''), key = useRef(uid()), d = draft.value
  useEffect(() => { void load() }, [])
  useEffect(() => { const id = setTimeout(() => void load(), 300); return () => clearTimeout(id) }, [hint.value])
  const set = (p: Partial<typeof d>) => { draft.value = { ...draft.peek(), ...p }; setWrong('') }
  const toggle = (id: string, on: boolean) => set({ chosen: on ? [...d.chosen, id] : d.chosen.filter((x) => x !== id) })
  const all = groups.value.length > 0 && d.chosen.length === groups.value.length
  const submit = async (e: Event) => {
    e.preventDefault()
    if (!d.title.trim()) return setWrong(w('needTitle'))
    if (!d.chosen.length) return setWrong(w('needGroups'))
    setBusy(true)
    try {
      await call('POST', '/api/v1/notices', { title: d.title.trim().normalize('NFC'), text: d.text.trim().normalize('NFC'), groups: d.chosen, expires_at: d.until ? new Date(d.until + ':00+07:00').toISOString() : undefined }, key.current)
      key.current = uid(); draft.value = { title: '', text: '', until: '', chosen: [] }; await load()
    } catch (x) { setWrong(x instanceof Error && x.message ? x.message : w('net')) }
    setBusy(false)
  }
  const withdraw = async (id: string) => { setAsk(''); try { await call('POST', `/api/v1/notices/${id}/withdraw`, {}) } catch (x) { setWrong(x instanceof Error && x.message ? x.message : w('net')) } void load() }
  return <section class="notices" aria-labelledby="nh"><div class="bh"><h2 id="nh">{w('notices')}</h2></div>
    {mayAct.value && <form onSubmit={submit} noValidate>
      <label class="field" for="nt-title">{w('ntTitle')}</label><input id="nt-title" maxLength={120} autocomplete="off" value={d.title} onInput={(e) => set({ title: e.currentTarget.value })} />
      <label class="field" for="nt-text">{w('ntText')}</label><textarea id="nt-text" rows={3} maxLength={2000} value={d.text} onInput={(e) => set({ text: e.currentTarget.value })} />
      <label class="field" for="nt-until">{w('ntUntil')}</label><input id="nt-until" type="datetime-local" value={d.until} onInput={(e) => set({ until: e.currentTarget.value })} />
      <fieldset id="nt-groups"><legend>{w('ntGroups')}</legend><label class="only"><input type="checkbox" value="*" checked={all} onChange={(e) => set({ chosen: e.currentTarget.checked ? groups.value.map((g) => g.id) : [] })} />{w('ntAll', { n: groups.value.length, unit: me.value?.unit_name })}</label>
        <div class="gs">{groups.value.map((g) => <label key={g.id} class="only"><input type="checkbox" value={g.id} checked={d.chosen.includes(g.id)} onChange={(e) => toggle(g.id, e.currentTarget.checked)} />{g.name}, {g.neighbourhood}</label>)}</div></fieldset>
      {wrong && <p class="err" role="alert"><Sign n="sos" />{wrong}</p>}
      <div class="dlf"><button type="submit" id="nt-send" class="go come" disabled={busy}>{busy ? w('sending') : w('ntSend', { n: d.chosen.length })}</button></div>
    </form>}
    <h3 class="pasth">{w('ntPast')}</h3>
    {list.value === 'failed' ? <p class="dim">{w('net')} <button type="button" class="lk" onClick={() => void load()}>{w('again')}</button></p> : !list.value?.length ? <p class="dim">{w('ntNone')}</p>
      : <ul>{list.value.map((n) => { const over = ms(n.expires_at) <= now.value
        return <li key={n.id} data-notice={n.id} class={n.withdrawn_at || over ? 'off' : ''}><p class="dim num">{hm(n.at)} {dm(n.at)} · <b>{n.by}</b> · {n.kind === 'warning' ? w('warning') : w('notice')}{n.withdrawn_at ? ` · ${w('withdrawn')}` : over ? ` · ${w('over')}` : ` · ${w('until', { t: `${hm(n.expires_at)} ${dm(n.expires_at)}` })}`}</p>
          <p><b>{n.title}</b></p>{n.text && <p class="tx">{n.text}</p>}
          <p class="num reach"><Sign n="check" size={15} />{w('reach', { g: n.groups, p: n.people, s: n.seen })}</p>
          {mayAct.value && n.kind === 'notice' && !n.withdrawn_at && (ask === n.id ? <p class="dlf"><button type="button" class="sm" data-withdraw-yes onClick={() => void withdraw(n.id)}>{w('withdrawYes')}</button><button type="button" class="sm" onClick={() => setAsk('')}>{common('cancel')}</button></p> : <button type="button" class="sm" data-withdraw onClick={() => setAsk(n.id)}>{w('withdraw')}</button>)}
        </li> })}</ul>}
  </section>
}
