// The officer's own menu: where he is signed in, with what keys, and colleagues who lost theirs.
import { useEffect, useState } from 'preact/hooks'
import { call } from '../lib/api'
import { agree, askRenewal, colleagues, door, endOthers, endSession, refuse, removeKey, why, type Colleague, type Door, type Invite } from '../lib/door'
import { t, words } from '../lib/i18n'
import { dm, hm } from '../lib/time'
import { CloseX, Dialog } from './bits'
import { ask } from './desk'
import { Sign } from './icons'
import { vi } from './words/account.vi'

const w = words(vi, () => import('./words/account.en'))
const when = (at: string) => `${hm(at)} ${dm(at)}`
const row = 'display:flex;gap:10px;align-items:center;justify-content:space-between;padding:8px 0;border-top:1px solid var(--line)'
const part = 'display:flex;flex-direction:column;gap:8px;margin-top:16px'
const shut = () => ask(null)

export function Account() {
  const [d, setD] = useState<Door | null>(null), [list, setList] = useState<Colleague[]>([]), [i, setI] = useState<Invite | null>(null), [wrong, setWrong] = useState(''), [leaving, setLeaving] = useState(false)
  const load = async () => { setWrong(''); try { const [mine, all] = await Promise.all([door(), colleagues()]); setD(mine); setList(all) } catch (e) { setWrong(why(e, w('fail'))) } }
  const act = (f: () => Promise<unknown>) => async () => { setWrong(''); try { await f(); await load() } catch (e) { setWrong(why(e, w('fail'))) } }
  const out = async () => { try { await call('POST', '/api/v1/sign-out', {}); location.replace('/welcome') } catch (e) { setWrong(why(e, w('fail'))) } }
  useEffect(() => { void load() }, [])
  return <Dialog id="account-dialog" label={w('title')} onClose={shut}>
    <div class="dlh"><h2>{w('title')}</h2><CloseX onClick={shut} /></div>
    {wrong && <p class="err" role="alert"><Sign n="sos" />{wrong} <button type="button" class="lk" onClick={() => void load()}>{w('again')}</button></p>}
    {i && <div style={part} data-testid="invite"><p>{w('show', { name: i.name })}</p><img src={i.qr} alt={i.link} width="180" height="180" style="background:#fff;border-radius:8px" /><p class="num" style="font-size:1.5rem;font-weight:700">{i.code}</p></div>}
    {!d ? !wrong && <p class="dim" role="status">{w('loading')}</p> : <>
      <section style={part} aria-labelledby="as"><h3 id="as">{w('sessions')}</h3><ul data-testid="sessions">{d.sessions.map((s) => <li key={s.id} style={row}><span><b>{s.device || w('unknown')}</b> <span class="dim num">{s.current ? w('here') : w('used', { t: when(s.used) })}</span></span>{!s.current && <button type="button" class="sm" onClick={act(() => endSession(s.id))}>{w('end')}</button>}</li>)}</ul>
        {d.sessions.length > 1 && <p><button type="button" class="sm" onClick={act(endOthers)}>{w('others')}</button></p>}</section>
      <section style={part} aria-labelledby="ak"><h3 id="ak">{w('keys')}</h3>{d.keys.length === 0 ? <p class="dim">{w('noKeys')}</p> : <ul data-testid="keys">{d.keys.map((k) => <li key={k.kind + k.id} style={row}><span><b>{w('k_' + k.kind)}</b> <span class="dim num">{[k.kind === 'passkey' && k.name, k.used ? w('used', { t: when(k.used) }) : w('never')].filter(Boolean).join(', ')}</span></span><button type="button" class="sm" onClick={act(() => removeKey(k))}>{w('remove')}</button></li>)}</ul>}
        <p><a class="sm" style="text-decoration:none;color:inherit" href="/key" data-testid="add-key">{w('add')}</a></p></section>
      <section style={part} aria-labelledby="ac"><h3 id="ac">{w('colleagues')}</h3><p class="dim">{w('colleaguesSub')}</p>{list.length < 2 && <p class="dim">{w('none')}</p>}
        <ul data-testid="colleagues">{list.map((c) => <Row key={c.person} c={c} act={act} onInvite={setI} />)}</ul></section>
    </>}
    {leaving ? <div style={part} role="alert"><p>{w('sure')}</p><p style="display:flex;gap:8px"><button type="button" class="sm" id="sign-out-yes" onClick={() => void out()}>{w('yes')}</button><button type="button" class="sm" onClick={() => setLeaving(false)}>{w('no')}</button></p></div>
      : <p style={part}><button type="button" class="sm" id="sign-out" onClick={() => setLeaving(true)}>{w('out')}</button></p>}
  </Dialog>
}

function Row({ c, act, onInvite }: { c: Colleague; act: (f: () => Promise<unknown>) => () => Promise<void>; onInvite: (i: Invite) => void }) {
  const r = c.renewal
  return <li style={row} data-person={c.person}><span><b>{c.name}</b> <span class="dim">{[t(c.role), c.self && w('self'), r && (r.mine ? w('waits') : w('asked', { by: r.by, t: when(r.expires) }))].filter(Boolean).join(', ')}</span></span>
    <span style="display:flex;gap:8px">{!r ? !c.self && <button type="button" class="sm" data-act="ask" onClick={act(() => askRenewal(c.person))}>{w('ask')}</button> : <>
      {!r.mine && !c.self && <button type="button" class="sm" data-act="agree" onClick={act(async () => onInvite(await agree(r.id)))}>{w('agree')}</button>}
      <button type="button" class="sm" data-act="refuse" onClick={act(() => refuse(r.id))}>{w('refuse')}</button></>}</span></li>
}
