// Who holds which role here: what waits for a second person, what is held, and a form to propose.
import { useEffect, useState } from 'preact/hooks'
import { Refusal, call, get, uid } from '../lib/api'
import { words } from '../lib/i18n'
import { me } from '../lib/live'
import { dm, hm } from '../lib/time'
import { Sign } from './icons'
import { vi, type Key } from './words/roles.vi'

const w = words(vi, () => import('./words/roles.en'))

interface Grant { id: string; name: string; role: Key; place: string; until: string | null; state: 'proposed' | 'held'; proposed_by: string; proposed_at: string; may: ('confirm' | 'refuse' | 'end')[] }
interface Found { person: string; name: string; place: string }

const GIVEN: Key[] = ['desk', 'team', 'head', 'mediator', 'elder', 'steering', 'chief', 'auditor', 'viewer', 'admin']
const ORIGIN: Record<string, Key> = { village: 'byVillage', command: 'byCommand', group: 'byGroup' }
const why = (e: unknown) => (e instanceof Refusal && e.message) || w('fail')

export function Roles() {
  const [list, setList] = useState<Grant[] | null>(null), [wrong, setWrong] = useState('')
  const load = async () => { try { setList(await get<Grant[]>('/api/v1/grants')); setWrong('') } catch (e) { setWrong(why(e)) } }
  useEffect(() => { void load() }, [])
  const part = (state: Grant['state'], title: Key, none: Key) => {
    const some = list?.filter((g) => g.state === state) ?? []
    return <><h3 class="pasth">{w(title)}</h3>{some.length ? <ol class="past">{some.map((g) => <Row key={g.id} g={g} onDone={() => void load()} onWrong={setWrong} />)}</ol> : <p class="dim">{w(none)}</p>}</>
  }
  const gives = me.value?.role === 'chief' || me.value?.role === 'desk' // the server decides; others need not see a form that is refused
  return <section class="hand" aria-labelledby="rl" data-testid="roles"><div class="bh"><h2 id="rl">{w('title')}</h2></div><p class="dim">{w('sub')}</p>
    {wrong && <p class="err" role="alert"><Sign n="sos" />{wrong} <button type="button" class="lk" onClick={() => void load()}>{w('again')}</button></p>}
    {gives && <Give onDone={() => void load()} />}
    {!list ? !wrong && <p class="dim" role="status">{w('loading')}</p> : <>{part('proposed', 'waits', 'noWaits')}{part('held', 'held', 'noHeld')}</>}
  </section>
}

function Row({ g, onDone, onWrong }: { g: Grant; onDone: () => void; onWrong: (s: string) => void }) {
  const [sure, setSure] = useState(false), [key] = useState(uid)
  const act = async (what: string) => { onWrong(''); try { await call('POST', `/api/v1/grants/${g.id}/${what}`, {}, key + what); onDone() } catch (e) { onWrong(why(e)) } setSure(false) }
  const from = ORIGIN[g.proposed_by]
  return <li data-grant={g.id} data-role={g.role} data-state={g.state}>
    <p><b>{w(g.role)}</b> · {g.name} · {g.place}</p>
    <p class="dim num">{[from ? w(from) : w('by', { who: g.proposed_by, t: `${hm(g.proposed_at)} ${dm(g.proposed_at)}` }), g.until ? w('until', { d: `${dm(g.until)}/${new Date(g.until).getFullYear()}` }) : w('open')].join(' · ')}</p>
    {sure ? <><p class="err"><Sign n="sos" />{w('sure')}</p><div class="dlf"><button type="button" class="go come" data-act="yes" onClick={() => void act('end')}>{w('yes')}</button><button type="button" class="plain" onClick={() => setSure(false)}>{w('cancel')}</button></div></>
      : g.may.length > 0 && <div class="dlf" style="justify-content:flex-start;flex-wrap:wrap">{g.may.map((m) => <button key={m} type="button" class={m === 'confirm' ? 'go come' : 'plain'} data-act={m} onClick={() => (m === 'end' ? setSure(true) : void act(m))}>{w(m)}</button>)}</div>}
  </li>
}

function Give({ onDone }: { onDone: () => void }) {
  const [name, setName] = useState(''), [found, setFound] = useState<Found[] | null>(null), [who, setWho] = useState<Found | null>(null)
  const [role, setRole] = useState<Key>('team'), [area, setArea] = useState(''), [until, setUntil] = useState(''), [key, setKey] = useState(uid), [told, setTold] = useState<['' | 'ok' | 'err', string]>(['', ''])
  const search = async () => { setTold(['', '']); try { setFound(await call<Found[]>('POST', '/api/v1/people/find', { name }, uid())) } catch (e) { setTold(['err', why(e)]) } }
  const send = async (e: Event) => {
    e.preventDefault()
    if (!who) return void (name.trim().length > 1 && !found ? search() : setTold(['err', w('choose')]))
    try {
      await call('POST', '/api/v1/grants', { person: who.person, role, unit: me.value?.unit, ...(role === 'head' ? { neighbourhood: area } : {}), ...(until ? { until: new Date(until + 'T00:00:00').toISOString() } : {}) }, key)
      setTold(['ok', w('sent')]); setWho(null); setFound(null); setName(''); setKey(uid()); onDone()
    } catch (x) { setTold(['err', why(x)]) }
  }
  return <form onSubmit={(e) => void send(e)} noValidate aria-label={w('give')}>
    <h3 class="pasth">{w('give')}</h3>
    {who ? <p><b>{w('chosen', { who: who.name })}</b>, {who.place} <button type="button" class="lk" onClick={() => { setWho(null); setFound(null) }}>{w('other')}</button></p> : <>
      <label class="field" for="rl-who">{w('who')} <span class="dim">{w('find')}</span></label>
      <div class="dlf" style="justify-content:flex-start"><input id="rl-who" value={name} autocomplete="off" maxLength={100} onInput={(e) => { setName(e.currentTarget.value); setFound(null) }} /><button type="button" class="plain" id="rl-find" onClick={() => void search()}>{w('search')}</button></div>
      {found && (found.length ? <ul class="past">{found.map((f) => <li key={f.person}><button type="button" class="lk" data-person={f.person} onClick={() => setWho(f)}>{f.name}, {f.place}</button></li>)}</ul> : <p class="dim" role="status">{w('none')}</p>)}</>}
    <label class="field" for="rl-role">{w('role')}</label>
    <select id="rl-role" value={role} onChange={(e) => setRole(e.currentTarget.value as Key)}>{GIVEN.map((r) => <option key={r} value={r}>{w(r)}</option>)}</select>
    {role === 'head' && <><label class="field" for="rl-area">{w('area')}</label><input id="rl-area" value={area} maxLength={100} onInput={(e) => setArea(e.currentTarget.value)} /></>}
    <label class="field" for="rl-until">{w('term')}</label>
    <input id="rl-until" type="date" value={until} onInput={(e) => setUntil(e.currentTarget.value)} />
    {told[0] && <p class={told[0] === 'ok' ? 'okay' : 'err'} role={told[0] === 'ok' ? 'status' : 'alert'}><Sign n={told[0] === 'ok' ? 'check' : 'sos'} />{told[1]}</p>}
    <div class="dlf"><button type="submit" class="go come" id="rl-send">{w('send')}</button></div>
  </form>
}

// See resident/rest.ts.
import './main'
