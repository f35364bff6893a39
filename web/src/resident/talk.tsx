// The group's channel on the phone: its entry, what is pinned to the main screen, and the thread itself.
import { computed, effect, signal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { call } from '../lib/api'
import { t as common, words } from '../lib/i18n'
import { homeOf, incidents, me, now } from '../lib/live'
import { onAccepted, queue, send, type Deed } from '../lib/outbox'
import { redraw } from '../lib/redraw'
import { counted, threadOf, type Message, type Thread } from '../lib/talk'
import { dm, hm, ms } from '../lib/time'
import type { Incident } from '../lib/types'
import { Icon, Sheet } from '../lib/ui'
import { canRecord, longest, record, type Recording } from '../lib/voice'
import style from './chat.lazy.css'
import { vi } from './chat.vi'
import { callFor, danger, leads, news, pinned, talk, whose } from './model'
import { Banners, CallLink, Heading } from './parts'

const w = words(vi, () => import('./chat.en'))

const link = document.createElement('link')
link.rel = 'stylesheet'; link.href = style
document.head.append(link)

// The group's thread is known while the page lives, so that it opens at once; what was read is remembered by its id alone.
const thread = signal<Thread | null>(null)
const kept = () => { try { return localStorage.getItem('keng_chat_read') ?? '' } catch { return '' } }
const readTo = signal(kept())
effect(() => {
  const g = me.value?.group
  const t = g ? threadOf(g) : null
  thread.value = t
  return t?.stop
})
const base = computed(() => `/api/v1/chat/${encodeURIComponent(me.value?.group ?? '')}`)
onAccepted((d, answer) => { if (d.path.startsWith(base.peek())) thread.peek()?.take(answer as Message) })

const stands = (m: Message) => counted(m) && !m.removed && (!m.expires_at || ms(m.expires_at) > now.value)
const top = computed(() => (thread.value?.list.value ?? []).filter((m) => stands(m) && !m.seen_by_me && m.person !== me.value?.person).reverse())
effect(() => { pinned.value = top.value.length })
effect(() => { news.value = (thread.value?.list.value ?? []).filter((m) => m.id > readTo.value && m.person !== me.value?.person && !m.removed).length })

function markRead(list: readonly Message[]) {
  const last = list.at(-1)?.id ?? ''
  if (document.hidden || last <= readTo.peek()) return
  readTo.value = last
  try { localStorage.setItem('keng_chat_read', last) } catch { /* private window: counted anew each time */ }
}

// saw tells the server once; when it cannot be reached, the next look tells it.
const told = new Set<string>()
function saw(list: readonly Message[]) {
  const fresh = list.filter((m) => counted(m) && !m.removed && !m.seen_by_me && m.person !== me.peek()?.person && !told.has(m.id)).map((m) => m.id)
  if (!fresh.length || document.hidden) return
  for (const id of fresh) told.add(id)
  call('POST', base.peek() + '/seen', { messages: fresh }).then(() => { for (const m of list) if (fresh.includes(m.id)) thread.peek()?.take({ ...m, seen_by_me: true }) }, () => { for (const id of fresh) told.delete(id) })
}

const Glyph = ({ n, size = 26 }: { n: 'back' | 'chat' | 'mic' | 'photo' | 'send' | 'stop'; size?: number }) => (
  <svg class="ico" viewBox="0 0 24 24" aria-hidden="true" style={`width:${size}px;height:${size}px`}>{{
    back: <path d="M15 5l-7 7 7 7" />, chat: <path d="M4 5h16v11H10l-5 4v-4H4z" />, mic: <><rect x="9" y="3" width="6" height="11" rx="3" /><path d="M5 11a7 7 0 0 0 14 0M12 18v3" /></>,
    photo: <><path d="M4 7h4l2-2h4l2 2h4v12H4z" /><circle cx="12" cy="13" r="3.500" /></>, send: <path d="M4 12l16-8-5 16-3-7z" />, stop: <rect x="6" y="6" width="12" height="12" rx="2" />,
  }[n]}</svg>)

// TalkCard is the entry on the group's page.
export const TalkCard = () => <button type="button" class="big plain" data-testid="open-talk" onClick={() => { talk.value = '' }}><Glyph n="chat" size={32} /><span>{w('openTalk')}<small>{news.value ? w('openNew', { n: news.value }) : w('openSub')}</small></span></button>

// TalkLink leads from an incident to its thread, in one tap.
export const TalkLink = ({ i }: { i: Incident }) => (i.group === me.value?.group ? <button type="button" class="big plain" data-testid="incident-talk" onClick={() => { talk.value = i.id }}><Glyph n="chat" />{w('openIncident')}</button> : null)

// Pinned: notices, warnings and announcements that stand and were not read yet, on the main screen.
export const Pinned = () => <section class="stack" aria-label={w('pinned')} data-testid="pinned">{top.value.slice(0, 3).map((m) => <div key={m.id} class={'card note pin ' + m.level} data-kind={m.kind}><Bulletin m={m} /><button type="button" class="big plain" data-testid="pin-read" onClick={() => saw([m])}><Icon n="check" />{w('read')}</button></div>)}</section>

function Bulletin({ m }: { m: Message }) {
  const over = !!m.expires_at && ms(m.expires_at) <= now.value
  return <>
    <h2>{m.kind === 'announce' ? w('announcement') : m.kind === 'notice' ? w('notice') : `${w('warning')}: ${w('level_' + m.level)}`}</h2>
    {m.title && <p class="bt">{m.title}</p>}{m.text && <p class="tx">{m.text}</p>}
    {m.expires_at && (m.kind === 'warning' || ms(m.expires_at) - ms(m.at) < 30 * 86400e3) && <p class="sub">{over ? w('over') : w('until', { t: `${hm(m.expires_at)} ${dm(m.expires_at)}` })}</p>}
  </>
}

export function Chat() {
  const incident = talk.value ?? '', i = incidents.value.find((x) => x.id === incident), t = thread.value
  const [editing, setEditing] = useState(false), [asking, setAsking] = useState<Message | null>(null)
  const list = (t?.list.value ?? []).filter((m) => !incident || m.incident === incident)
  useEffect(() => { const look = () => { markRead(list); saw(list) }; look(); document.addEventListener('visibilitychange', look); return () => document.removeEventListener('visibilitychange', look) }, [list.at(-1)?.id, list.length])
  const mine = (m: Message) => m.person === me.value?.person && m.kind !== 'notice' && m.kind !== 'warning'
  const may = (m: Message) => !m.removed && (mine(m) || (leads.value && m.kind !== 'notice' && m.kind !== 'warning'))
  return <div class="chat" data-testid="chat" data-incident={incident} data-state={t?.state.value}>
    <header class="ctop"><button type="button" class="round" data-testid="talk-back" aria-label={w('back')} onClick={() => { talk.value = null }}><Glyph n="back" /></button>
      <div class="who"><Heading>{incident ? w('titleIncident') : w('title')}</Heading><p>{i ? `${i.mode === 'live' ? danger(i.category) : common(i.mode)}, ${whose(i.origins[0]?.home ?? '')}. ` : ''}{w(!incident ? 'who' : i?.mode === 'live' ? 'whoIncident' : 'whoDrill')}</p></div></header>
    <main class="cmain"><Banners />
      {i && !i.closed && i.mode === 'live' && <div class="two">{callFor(i.category).map((n, k) => <CallLink key={n} number={n} incident={i} main={k === 0} />)}</div>}
      {t?.state.value !== 'ready' && <p class="sub" role="status">{w(t?.state.value ?? 'loading')}</p>}
      {t?.older.value && <button type="button" class="out" data-testid="older" onClick={() => void t.back()}>{w('older')}</button>}
      <Log list={list} incident={incident} editing={editing} may={may} onTake={setAsking} />
      {list.some(may) && <button type="button" class="link" data-testid="edit" aria-pressed={editing} onClick={() => setEditing(!editing)}>{w(editing ? 'editEnd' : 'edit')}</button>}
    </main>
    <Composer incident={incident} />
    {asking && <Sheet id="take" label={w('takeAsk')} onClose={() => setAsking(null)}><h2>{w('takeAsk')}</h2><p>{w('takeAskSub')}</p><button type="button" class="big alarm" data-testid="take-yes" onClick={() => { send(`${base.value}/messages/${asking.id}/take`, {}, { told: w('takeYes') }); setAsking(null) }}>{w('takeYes')}</button><button type="button" class="big plain" onClick={() => setAsking(null)}>{common('cancel')}</button></Sheet>}
  </div>
}

// Log is what was said, oldest first, with what waits to be sent at its end. It keeps its end in view unless somebody reads further up.
function Log({ list, incident, editing, may, onTake }: { list: Message[]; incident: string; editing: boolean; may: (m: Message) => boolean; onTake: (m: Message) => void }) {
  const waiting = queue.value.filter((d) => d.path.split('?')[0].replace(/\/files$/, '') === base.value && (!incident || inIncident(d) === incident))
  const stuck = useRef(true)
  useEffect(() => { const on = () => { stuck.current = innerHeight + scrollY > document.documentElement.scrollHeight - 120 }; addEventListener('scroll', on, { passive: true }); return () => removeEventListener('scroll', on) }, [])
  useLayoutEffect(() => { if (stuck.current) scrollTo(0, document.documentElement.scrollHeight) }, [list.length, waiting.length])
  return <div class="log" role="log" aria-label={w('log')} tabIndex={0}><ol>
    {list.length + waiting.length === 0 && <li class="sub none">{w('empty')}</li>}
    {list.map((m, k) => <Row key={m.id} m={m} before={list[k - 1]} incident={incident}>{editing && may(m) && <button type="button" class="out" data-testid="take" onClick={() => onTake(m)}><Icon n="x" />{w(m.person === me.value?.person ? 'takeBack' : 'remove')}</button>}</Row>)}
    {waiting.map((d) => <li key={d.id} class="m me wait" data-testid="waiting-message"><div class="bub"><p class="tx">{(d.body as { text?: string }).text ?? w(d.path.includes('kind=voice') ? 'sendVoice' : 'photo')}</p></div><p class="by"><Icon n="clock" />{w('waiting')}</p></li>)}
  </ol></div>
}

const inIncident = (d: Deed) => (d.body as { incident?: string }).incident ?? new URLSearchParams(d.path.split('?')[1]).get('incident') ?? ''

function Row({ m, before, incident, children }: { m: Message; before?: Message; incident: string; children: unknown }) {
  const own = m.person === me.value?.person, by = own ? w('you') : m.role === 'desk' ? w('desk') : m.by, h = homeOf(m.home)
  const day = !before || dm(before.at) !== dm(m.at)
  return <>{day && <li class="day" aria-hidden="true">{dm(m.at)}</li>}
    <li class={'m ' + (own ? 'me ' : '') + m.kind + (m.removed ? ' gone' : '')} data-message={m.id} data-kind={m.kind} data-removed={m.removed}>
      <div class="bub">{m.removed ? <p class="tx">{w('taken_' + m.removed)}</p> : counted(m) ? <Bulletin m={m} /> : m.file ? <File m={m} by={by} /> : <p class="tx">{m.text}</p>}
        {m.of > 0 && !m.removed && <p class="sub num" data-testid="seen">{w('seenBy', { n: m.seen, m: m.of })}</p>}</div>
      <p class="by">{[by, !own && h && !h.name.includes(m.by) && h.name, hm(m.at)].filter(Boolean).join(', ')}{!incident && m.incident && <span class="inc">{w('inIncident')}</span>}</p>{children as never}
    </li></>
}

function File({ m, by }: { m: Message; by: string }) {
  const f = m.file!
  if (f.media.startsWith('image/')) return <a class="pic" href={f.url} target="_blank" rel="noreferrer"><img src={f.url} width={f.width} height={f.height} alt={w('photoAlt', { by })} loading="lazy" decoding="async" /></a>
  return <audio class="voice" controls preload="none" src={f.url} aria-label={w('voiceOf', { by, n: f.seconds })} />
}

// Composer: speak, show or write. What is being said is sent whole or not at all.
const drafts = new Map<string, string>()
function Composer({ incident }: { incident: string }) {
  const [text, setText] = useState(drafts.get(incident) ?? ''), [announce, setAnnounce] = useState(false), [wrong, setWrong] = useState(''), [rec, setRec] = useState<Recording | null>(null), [full, setFull] = useState(false), [since, setSince] = useState(0), [shot, setShot] = useState<{ blob: Blob; url: string } | null>(null)
  const el = useRef<HTMLTextAreaElement>(null)
  useEffect(() => () => rec?.drop(), [rec])
  useEffect(() => () => { if (shot) URL.revokeObjectURL(shot.url) }, [shot])
  const write = (v: string) => { setText(v); drafts.set(incident, v) }
  const files = (kind: 'photo' | 'voice', b: Blob) => send(`${base.value}/files?kind=${kind}${incident && '&incident=' + incident}`, b, { told: w(kind === 'photo' ? 'photo' : 'sendVoice') })
  const say = (e: Event) => {
    e.preventDefault()
    const words = text.trim().normalize('NFC')
    if (!words) { el.current?.focus(); return }
    send(base.value, { text: words, incident: incident || undefined, announce: announce || undefined }, { told: w('send') })
    write(''); setAnnounce(false)
  }
  const speak = async () => {
    setWrong('')
    try { if (!canRecord()) throw new Error('none'); setFull(false); setSince(Date.now()); setRec(await record(() => setFull(true))) } catch { setWrong(w('noMic')) }
  }
  const sendVoice = async () => { const r = rec; setRec(null); if (r) files('voice', await r.stop()) }
  const pick = async (input: HTMLInputElement) => {
    const f = input.files?.[0]
    input.value = ''
    if (!f) return
    setWrong('')
    try { const blob = await redraw(f); setShot({ blob, url: URL.createObjectURL(blob) }) } catch { setWrong(w('noPhoto')) }
  }
  if (rec) return <div class="comp rec" role="region" aria-label={w('speak')} data-testid="recording"><p role="status" class="num"><Glyph n="mic" />{full ? w('recordFull') : <Seconds since={since} />}</p>
    <button type="button" class="big calm" data-testid="voice-send" onClick={() => void sendVoice()}><Glyph n="send" />{w('sendVoice')}</button><button type="button" class="big plain" data-testid="voice-drop" onClick={() => setRec(null)}><Icon n="x" />{w('drop')}</button></div>
  return <form class="comp" aria-label={w('write')} onSubmit={say}>
    {wrong && <p class="bnr bad" role="alert"><Icon n="sos" /><span>{wrong}</span></p>}
    {leads.value && !incident && text && <label class="switchrow"><span>{w('announce')}<small class="sub">{w('announceSub')}</small></span><input type="checkbox" role="switch" data-testid="announce" checked={announce} onChange={(e) => setAnnounce(e.currentTarget.checked)} /></label>}
    <div class="field"><label class="vh" for="say-it">{w('write')}</label><textarea id="say-it" ref={el} rows={1} maxLength={2000} placeholder={w('write')} value={text} onInput={(e) => write(e.currentTarget.value)} /></div>
    <div class="cbar">{text ? <button type="submit" class="big calm" data-testid="say"><Glyph n="send" />{w('send')}</button>
      : <><button type="button" class="big calm" data-testid="speak" onClick={() => void speak()}><Glyph n="mic" size={32} />{w('speak')}</button>
        <label class="out pickpic"><Glyph n="photo" /><span>{w('photo')}</span><input type="file" accept="image/*" data-testid="photo" onChange={(e) => void pick(e.currentTarget)} /></label></>}</div>
    {shot && <Sheet id="shot" label={w('sendPhoto')} onClose={() => setShot(null)}><h2>{w('sendPhoto')}</h2><p>{w('sendPhotoSub')}</p><img class="shot" src={shot.url} alt={w('photo')} /><button type="button" class="big calm" data-testid="photo-yes" onClick={() => { files('photo', shot.blob); setShot(null) }}><Glyph n="send" />{w('send')}</button><button type="button" class="big plain" onClick={() => setShot(null)}>{w('drop')}</button></Sheet>}
  </form>
}

function Seconds({ since }: { since: number }) {
  const [n, setN] = useState(0)
  useEffect(() => { const id = setInterval(() => setN(Math.min(longest, Math.floor((Date.now() - since) / 1000))), 500); return () => clearInterval(id) }, [since])
  return <>{w('recording', { n })}</>
}
