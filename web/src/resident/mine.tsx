// Who saw what of mine, each line with its proof; and what one may ask for over one's own data.
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Refusal, call, get, uid } from '../lib/api'
import { t as common, words } from '../lib/i18n'
import { now } from '../lib/live'
import { dm, hm } from '../lib/time'
import { check, type Evidence, type Verdict } from '../lib/tlog'
import { Icon, Sheet } from '../lib/ui'
import { vi, type Key } from './mine.vi'
import { ActiveBar, Banners, Tabs, Top } from './parts'

const w = words(vi, () => import('./mine.en'))

interface Act { n: number; at: string; text: string; mine: boolean }
interface Ask { id: string; kind: string; text: string; reply: string; due: string; late: boolean; taken?: string; longer?: string; ended?: string; outcome: '' | 'done' | 'refused'; answer: string }

const PAGE = 50, FIRST = 'keng-log-key'
const column = 'display:flex;flex-direction:column;gap:var(--s3)'
const row = 'display:flex;flex-direction:column;gap:8px;align-items:stretch;padding:12px 0;border-top:1px solid var(--line);min-width:0;overflow-wrap:anywhere'
const why = (e: unknown) => (e instanceof Refusal && e.message) || w('fail')

export function Mine({ onBack }: { onBack: () => void }) {
  const [acts, setActs] = useState<Act[] | null>(null), [more, setMore] = useState(false), [wrong, setWrong] = useState(''), [proving, setProving] = useState<Act | null>(null)
  const load = async (before: number) => {
    setWrong('')
    try {
      const list = await get<Act[]>(`/api/v1/me/acts?before=${before}`)
      setActs((had) => before && had ? [...had, ...list] : list)
      setMore(list.length === PAGE)
    } catch (e) { setWrong(why(e)) }
  }
  useEffect(() => { void load(0) }, [])
  const today = dm(now.value)
  return <><Top /><main class="page" data-testid="mine"><Banners /><ActiveBar />
    <section class="card" aria-labelledby="mi"><h2 id="mi">{w('title')}</h2><p>{w('intro')}</p>
      {wrong && <p class="bnr bad" role="alert"><Icon n="wifi" /><span>{wrong}</span><button type="button" onClick={() => void load(0)}>{w('again')}</button></p>}
      {!acts ? !wrong && <p role="status">{w('loading')}</p> : acts.length === 0 ? <p data-testid="acts-none">{w('none')}</p>
        : <ol data-testid="acts" style="list-style:none;margin:0;padding:0">{acts.map((a) => <li key={a.n} style={row} data-n={a.n}>
          <time class="num sub" dateTime={a.at}>{hm(a.at)}, {dm(a.at) === today ? w('today') : dm(a.at)}</time><span>{a.text}</span>
          <button type="button" class="out" data-testid={'check-' + a.n} onClick={() => setProving(a)}><Icon n="shield" />{w('check')}</button></li>)}</ol>}
      {more && <button type="button" class="big plain" onClick={() => void load(acts!.at(-1)!.n)}>{w('older')}</button>}
    </section>
    <Rights />
    <button type="button" class="big plain" data-testid="mine-back" onClick={onBack}>{w('back')}</button>
    {proving && <Proof a={proving} onClose={() => setProving(null)} />}
  </main><Tabs /></>
}

const kept = () => { try { return localStorage.getItem(FIRST) ?? '' } catch { return '' } }
const keep = (key: string) => { try { if (!kept()) localStorage.setItem(FIRST, key) } catch { /* a private window */ } }

// Proof checks one line on this phone.
function Proof({ a, onClose }: { a: Act; onClose: () => void }) {
  const [e, setE] = useState<Evidence | null>(null), [v, setV] = useState<Verdict | 'wait'>('wait'), [wrong, setWrong] = useState('')
  useEffect(() => {
    void (async () => {
      try {
        const got = await get<Evidence>(`/api/v1/me/acts/${a.n}`), verdict = await check(got, kept())
        if (verdict === '') keep(got.key)
        setE(got)
        setV(verdict)
      } catch (x) { setWrong(why(x)) }
    })()
  }, [a.n])
  const good = v === '', plain = v === 'old' || v === 'unsigned'
  return <Sheet id="proof" label={w('number', { n: a.n })} onClose={onClose}><h2>{w('number', { n: a.n })}</h2><p>{a.text}</p>
    {wrong ? <p class="bnr bad" role="alert"><Icon n="wifi" /><span>{wrong}</span></p>
      : v === 'wait' ? <p role="status">{w('checking')}</p>
      : <p class={'bnr' + (good || plain ? '' : ' bad')} role={good || plain ? 'status' : 'alert'} data-testid="verdict" data-verdict={v || 'good'}><Icon n={good ? 'check' : plain ? 'clock' : 'sos'} /><span>{good ? <><b>{w('good')}</b> {w('goodSub')}</> : plain ? w(v) : <><b>{w(('bad_' + v) as Key)}</b> {w('bad')}</>}</span></p>}
    {e && <Down testid="proof-down" look="calm" name={`keng-${a.n}.json`} make={() => Promise.resolve(new Blob([JSON.stringify(e, null, 1)], { type: 'application/json' }))}>{w('download')}</Down>}
    <button type="button" class="big plain" onClick={onClose}>{common('close')}</button></Sheet>
}

// Down is a button that saves a file.
function Down({ name, make, children, testid, look = 'plain' }: { name: string; make: () => Promise<Blob>; children: ComponentChildren; testid: string; look?: string }) {
  const [wrong, setWrong] = useState('')
  const go = async () => {
    setWrong('')
    try {
      const url = URL.createObjectURL(await make()), a = document.createElement('a')
      a.href = url
      a.download = name
      a.click()
      setTimeout(() => URL.revokeObjectURL(url), 60_000)
    } catch (e) { setWrong(why(e)) }
  }
  return <><button type="button" class={'big ' + look} data-testid={testid} onClick={() => void go()}>{children}</button>{wrong && <p class="bnr bad" role="alert"><Icon n="wifi" /><span>{wrong}</span></p>}</>
}

async function everything(form: 'html' | 'json'): Promise<Blob> {
  const r = await fetch('/api/v1/me/export', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ form }), cache: 'no-store' })
  if (!r.ok) throw new Refusal(await r.json())
  return r.blob()
}

function Rights() {
  const [asks, setAsks] = useState<Ask[]>([]), [asking, setAsking] = useState(false), [told, setTold] = useState('')
  const load = async () => { try { setAsks(await get<Ask[]>('/api/v1/me/requests')) } catch { /* the list above says that there is no network */ } }
  useEffect(() => { void load() }, [])
  const state = (r: Ask) => r.outcome === 'done' ? w('state_done', { d: dm(r.ended!) }) : r.outcome === 'refused' ? w('state_refused', { d: dm(r.ended!) }) : r.longer ? w('state_longer', { d: dm(r.due) }) : r.taken ? w('state_taken', { d: dm(r.due) }) : w('state_open', { d: dm(r.reply) })
  return <section class="card" aria-labelledby="ri"><h2 id="ri">{w('rights')}</h2><p>{w('rightsSub')}</p>
    <div style={column}>
      <Down testid="export-html" name="keng.html" make={() => everything('html')}>{w('getPage')}</Down>
      <Down testid="export-json" name="keng.json" make={() => everything('json')}>{w('getData')}</Down>
      <button type="button" class="big calm" data-testid="ask-right" onClick={() => { setTold(''); setAsking(true) }}>{w('ask')}</button>
      {told && <p class="bnr" role="status" data-testid="asked"><Icon n="check" /><span>{told}</span></p>}
    </div>
    {asks.length > 0 && <><h3>{w('mine')}</h3><ul data-testid="asks" style="list-style:none;margin:0;padding:0">{asks.map((r) => <li key={r.id} style={row}><b>{w(('k_' + r.kind) as Key)}</b>{r.text && <span>{r.text}</span>}<span class="sub">{state(r)}{r.late && `. ${w('late')}`}</span>{r.answer && <span>{r.answer}</span>}</li>)}</ul></>}
    {asking && <Request onClose={() => setAsking(false)} onSent={() => { setAsking(false); setTold(w('sent')); void load() }} />}
  </section>
}

const KINDS = ['see', 'correct', 'export', 'withdraw', 'delete'] as const

function Request({ onClose, onSent }: { onClose: () => void; onSent: () => void }) {
  const [kind, setKind] = useState<string>('correct'), [text, setText] = useState(''), [wrong, setWrong] = useState(''), [key] = useState(uid)
  const must = kind === 'correct' || kind === 'withdraw'
  const send = async () => {
    setWrong('')
    try { await call('POST', '/api/v1/me/requests', { kind, text: text.normalize('NFC').trim() }, key); onSent() } catch (e) { setWrong(why(e)) }
  }
  return <Sheet id="right" label={w('askTitle')} onClose={onClose}><h2>{w('askTitle')}</h2>
    <div style={column} role="group" aria-label={w('askTitle')}>{KINDS.map((k) => <button key={k} type="button" class={'big ' + (kind === k ? 'calm' : 'plain')} aria-pressed={kind === k} data-kind={k} onClick={() => setKind(k)}>{w(('k_' + k) as Key)}</button>)}</div>
    {kind === 'delete' && <p class="bnr"><Icon n="sos" /><span>{w('deleteSub')}</span></p>}
    <label class="field"><span>{w(must ? 'textMust' : 'text')}</span><textarea id="right-text" rows={3} maxLength={2000} value={text} onInput={(x) => setText(x.currentTarget.value)} /></label>
    {wrong && <p class="bnr bad" role="alert"><Icon n="sos" /><span>{wrong}</span></p>}
    <button type="button" class="big calm" data-testid="right-send" onClick={() => void send()}>{w('send')}</button>
    <button type="button" class="big plain" onClick={onClose}>{common('cancel')}</button></Sheet>
}

// See rest.ts.
import './main'
