// The commune's list of households: checked, taken, taken back, written out. Inviting who founds a group. And the notes of homes in a live alarm.
import { useEffect, useRef, useState } from 'preact/hooks'
import { Refusal, call, get, uid } from '../lib/api'
import { words } from '../lib/i18n'
import { homeOf, me } from '../lib/live'
import { dm, hm } from '../lib/time'
import type { Incident } from '../lib/types'
import { Sign } from './icons'
import { vi } from './words/register.vi'

const w = words(vi, () => import('./words/register.en'))

interface Tally { added: number; changed: number; unchanged: number }
interface Report { id: string; checked: boolean; refused: boolean; wrong: { row: number; column: string; text: string }[]; ignored: string[]; groups: Tally; homes: Tally; people: Tally }
interface Past { id: string; at: string; file: string; rows: number; undone: boolean; late: boolean }
interface Letter { name: string; code: string; link: string; qr: string; expires: string }

const why = (e: unknown) => (e instanceof Refusal && e.message) || w('fail')
const when = (at: string) => `${hm(at)} ${dm(at)}`

// upload sends a file as it is; call speaks JSON only.
async function upload(file: File, check: boolean): Promise<Report> {
  const r = await fetch(`/api/v1/register/imports?check=${check}&file=${encodeURIComponent(file.name)}`, { method: 'POST', headers: { accept: 'application/json', 'content-type': 'application/octet-stream' }, body: file, cache: 'no-store' })
  const answer = await r.json().catch(() => ({}))
  if (!r.ok) throw new Refusal({ title: '', ...answer, status: r.status })
  return answer as Report
}

async function download() {
  const r = await fetch('/api/v1/register/exports', { method: 'POST', cache: 'no-store' })
  if (!r.ok) throw new Refusal({ title: '', ...(await r.json().catch(() => ({}))), status: r.status })
  const a = document.createElement('a'), url = URL.createObjectURL(await r.blob())
  a.href = url; a.download = `danh-sach-ho-${me.value?.unit}.xlsx`; a.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

export function Register() {
  const [past, setPast] = useState<Past[]>([]), [wrong, setWrong] = useState(''), [said, setSaid] = useState('')
  const load = () => get<Past[]>('/api/v1/register/imports').then(setPast, (e: unknown) => setWrong(why(e)))
  useEffect(() => void load(), [])
  const go = async (f: () => Promise<string>) => { setWrong(''); setSaid(''); try { setSaid(await f()); void load() } catch (e) { setWrong(why(e)) } }
  const undo = (p: Past) => go(async () => { const r = await call<{ kept: { name: string }[] }>('POST', `/api/v1/register/imports/${p.id}/undo`, {}, uid()); return r.kept.length ? w('kept', { list: r.kept.map((k) => k.name).join(', ') }) : w('undid') })
  return <section class="hand" aria-labelledby="rg" data-testid="register" style="margin-top:28px"><div class="bh"><h2 id="rg">{w('title')}</h2><button type="button" class="sm" id="export" onClick={() => void go(async () => { await download(); return '' })}><Sign n="disk" />{w('export')}</button></div><p class="dim">{w('exportSub')}</p>
    {wrong && <p class="err" role="alert"><Sign n="sos" />{wrong}</p>}{said && <p class="okay" role="status"><Sign n="check" />{said}</p>}
    <Taking onTaken={() => void load()} onWrong={setWrong} />
    <h3>{w('past')}</h3>{!past.length && <p class="dim">{w('none')}</p>}
    <ol class="past">{past.map((p) => <li key={p.id} data-import={p.id}><span class="num">{w('line', { t: when(p.at), file: p.file || '.xlsx', n: p.rows })}</span>{' '}{p.undone ? <span class="dim">{w('undone')}</span> : p.late ? <span class="dim">{w('late')}</span> : <button type="button" class="sm" data-act="undo" onClick={() => void undo(p)}>{w('undo')}</button>}</li>)}</ol>
    <Founder />
  </section>
}

function Taking({ onTaken, onWrong }: { onTaken: () => void; onWrong: (s: string) => void }) {
  const el = useRef<HTMLInputElement>(null), [file, setFile] = useState<File | null>(null), [rep, setRep] = useState<Report | null>(null), [busy, setBusy] = useState(false)
  const send = async (check: boolean) => {
    if (!file) return
    setBusy(true); onWrong('')
    try { const r = await upload(file, check); setRep(r); if (!check && !r.refused) { setFile(null); if (el.current) el.current.value = ''; onTaken() } } catch (e) { setRep(null); onWrong(why(e)) } finally { setBusy(false) }
  }
  const sure = !!file && rep?.checked && !rep.refused
  return <form onSubmit={(e) => { e.preventDefault(); void send(!sure) }}><p class="dim">{w('sub')}</p>
    <label class="field" for="rg-file">{w('file')}</label><input ref={el} id="rg-file" type="file" accept=".xlsx,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" style="min-height:38px;max-width:100%" onChange={(e) => { setFile(e.currentTarget.files?.[0] ?? null); setRep(null) }} />
    {rep && <Told r={rep} />}
    <div class="dlf"><button type="submit" class="go come" id="rg-go" disabled={!file || busy}>{busy ? w('busy') : w(sure ? 'take' : 'check')}</button></div></form>
}

function Told({ r }: { r: Report }) {
  const t = (what: 'groups' | 'homes' | 'people') => <li key={what}>{w('tally', { what: w(what), a: r[what].added, c: r[what].changed, u: r[what].unchanged })}</li>
  const changes = [r.groups, r.homes, r.people].some((x) => x.added + x.changed > 0)
  return <div class="facts" role="status" data-testid="told" data-refused={r.refused}>
    {r.ignored.length > 0 && <p>{w('ignored', { list: r.ignored.join(', ') })}</p>}
    {r.refused ? <><p class="err">{w('refused')}</p><ol>{r.wrong.map((x, n) => <li key={n} data-row={x.row}><b>{x.row ? w('row', { row: x.row, column: x.column }) : w('whole')}</b>: {x.text}</li>)}</ol>{r.wrong.length >= 200 && <p>{w('more', { n: 200 })}</p>}</>
      : !changes ? <p>{w('same')}</p> : <><p>{w(r.checked ? 'would' : 'did')}</p><ul>{(['groups', 'homes', 'people'] as const).map(t)}</ul></>}
  </div>
}

function Founder() {
  const [name, setName] = useState(''), [letter, setLetter] = useState<Letter | null>(null), [wrong, setWrong] = useState(''), [key, setKey] = useState(uid)
  const make = async (e: Event) => {
    e.preventDefault()
    const n = name.normalize('NFC').trim()
    if (!n) return
    setWrong('')
    try { setLetter(await call<Letter>('POST', '/api/v1/founders', { name: n }, key)); setKey(uid()); setName('') } catch (x) { setWrong(why(x)) }
  }
  return <form onSubmit={(e) => void make(e)} data-testid="founder"><h3>{w('founder')}</h3><p class="dim">{w('founderSub')}</p>
    {letter ? <div role="status"><img src={letter.qr} alt="" width="180" height="180" style="background:#fff;padding:8px;border-radius:8px" /><p><b>{w('letter', { name: letter.name, code: letter.code, t: when(letter.expires) })}</b></p><p class="tx">{letter.link}</p><button type="button" class="plain" onClick={() => setLetter(null)}>{w('done')}</button></div>
      : <><label class="field" for="fo-name">{w('name')}</label><input id="fo-name" maxLength={120} autocomplete="off" value={name} onInput={(e) => setName(e.currentTarget.value)} style="width:min(100%,420px)" />{wrong && <p class="err" role="alert"><Sign n="sos" />{wrong}</p>}<div class="dlf"><button type="submit" class="go come" id="fo-go" disabled={!name.trim()}>{w('make')}</button></div></>}</form>
}

// HomeNotes: what homes left for those who help, in a live alarm that is open. Each opening is seen by its home.
export function HomeNotes({ i }: { i: Incident }) {
  const [homes, setHomes] = useState<string[]>([]), [open, setOpen] = useState<Record<string, string>>({}), [wrong, setWrong] = useState('')
  const now = i.mode === 'live' && !i.closed && i.condition !== 'pre_alarm'
  useEffect(() => {
    let live = true
    setHomes([]); setOpen({}); setWrong('')
    if (now) get<string[]>(`/api/v1/incidents/${i.id}/home-notes`).then((l) => { if (live) setHomes(l) }, () => undefined)
    return () => { live = false }
  }, [i.id, now])
  if (!now || !homes.length) return null
  const first = i.origins[0]?.home, sorted = [...homes].sort((a, b) => +(b === first) - +(a === first))
  const look = async (h: string) => { setWrong(''); try { const n = await call<{ text: string }>('POST', `/api/v1/incidents/${i.id}/home-notes/${h}`, {}, uid()); setOpen((was) => ({ ...was, [h]: n.text })) } catch (e) { setWrong(why(e)) } }
  return <section class="orig" aria-labelledby="hn" data-testid="home-notes"><h3 id="hn">{w('notes')}</h3><p class="dim">{w('notesSub')}</p>{wrong && <p class="err" role="alert"><Sign n="sos" />{wrong}</p>}
    <div class="row">{sorted.map((h) => open[h] !== undefined ? <p key={h} data-note={h} role="status" style="width:100%"><b>{homeOf(h)?.name}</b>: {open[h]}</p>
      : <button key={h} type="button" class="sm" data-open-note={h} onClick={() => void look(h)}><Sign n="shield" size={16} />{h === first ? w('openThis') : w('open', { home: homeOf(h)?.name ?? '' })}</button>)}</div></section>
}
