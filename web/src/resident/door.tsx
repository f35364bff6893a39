// One's own ways in: where one is signed in, and with what keys. And the phones of the group: who has a new one, whom to invite again.
import { useEffect, useState } from 'preact/hooks'
import { words } from '../lib/i18n'
import { door, endOthers, endSession, phones, reinvite, removeKey, why, type Door, type Invite, type Key, type Phone, type Session } from '../lib/door'
import { group, homeOf } from '../lib/live'
import { dm, hm } from '../lib/time'
import { Icon, Sheet } from '../lib/ui'
import { vi } from './door.vi'
import { leads } from './model'
import { ActiveBar, Banners, Tabs, Top } from './parts'

const w = words(vi, () => import('./door.en'))
const when = (at: string) => `${hm(at)} ${dm(at)}`
const row = 'display:flex;flex-direction:column;gap:8px;align-items:stretch;padding:12px 0;border-top:1px solid var(--line);min-width:0;overflow-wrap:anywhere'
const bare = 'list-style:none;margin:0;padding:0'

const Wrong = ({ text, onAgain }: { text: string; onAgain: () => void }) => <p class="bnr bad" role="alert"><Icon n="wifi" /><span>{text}</span><button type="button" onClick={onAgain}>{w('again')}</button></p>

export function MyDoor({ onBack }: { onBack: () => void }) {
  const [d, setD] = useState<Door | null>(null), [wrong, setWrong] = useState('')
  const load = async () => { setWrong(''); try { setD(await door()) } catch (e) { setWrong(why(e, w('fail'))) } }
  const act = (f: () => Promise<unknown>) => async () => { setWrong(''); try { await f(); await load() } catch (e) { setWrong(why(e, w('fail'))) } }
  useEffect(() => { void load() }, [])
  return <><Top /><main class="page" data-testid="door"><Banners /><ActiveBar />
    {wrong && <Wrong text={wrong} onAgain={() => void load()} />}
    <section class="card" aria-labelledby="ds"><h2 id="ds">{w('sessions')}</h2>
      {!d ? !wrong && <p role="status">{w('loading')}</p> : <ul data-testid="sessions" style={bare}>{d.sessions.map((s) => <Place key={s.id} s={s} onEnd={act(() => endSession(s.id))} />)}</ul>}
      {d && d.sessions.length > 1 && <button type="button" class="big plain" data-testid="end-others" onClick={act(endOthers)}><span>{w('others')}<small>{w('othersSub')}</small></span></button>}
    </section>
    <section class="card" aria-labelledby="dk"><h2 id="dk">{w('keys')}</h2>
      {d && (d.keys.length ? <ul data-testid="keys" style={bare}>{d.keys.map((k) => <One key={k.kind + k.id} k={k} onRemove={act(() => removeKey(k))} />)}</ul> : <p>{w('noKeys')}</p>)}
      <a class="btn big calm" data-testid="add-key" href="/key">{w('add')}</a>
    </section>
    <button type="button" class="big plain" data-testid="door-back" onClick={onBack}>{w('back')}</button>
  </main><Tabs /></>
}

const Place = ({ s, onEnd }: { s: Session; onEnd: () => void }) => <li style={row} data-current={s.current ? '' : undefined}><b>{s.device || w('unknown')}{s.current && ` – ${w('here')}`}</b><span class="sub num">{w('used', { t: when(s.used) })}, {w('began', { t: when(s.began) })}</span>
  {!s.current && <button type="button" class="out" onClick={onEnd}>{w('end')}</button>}</li>

function One({ k, onRemove }: { k: Key; onRemove: () => void }) {
  const [sure, setSure] = useState(false)
  return <li style={row}><b>{w('k_' + k.kind)}</b><span class="sub num">{[k.kind === 'passkey' && k.name, w('made', { t: when(k.made) }), k.used ? w('used', { t: when(k.used) }) : w('never')].filter(Boolean).join(', ')}</span>
    <button type="button" class="out" onClick={() => setSure(true)}>{w('remove')}</button>
    {sure && <Sheet id="remove-key" label={w('remove')} onClose={() => setSure(false)}><h2>{w('remove')}</h2><p>{w('removeSub')}</p><button type="button" class="big alarm" data-testid="remove-yes" onClick={() => { setSure(false); onRemove() }}>{w('remove')}</button><button type="button" class="big plain" onClick={() => setSure(false)}>{w('cancel')}</button></Sheet>}</li>
}

// Phones: neighbours see for a week who came back with a new phone; the leader lets people in again.
export function Phones() {
  const id = group.value?.id ?? '', [list, setList] = useState<Phone[] | null>(null), [asking, setAsking] = useState(false)
  const load = () => phones(id).then(setList, () => setList(null)) // without a network the rest of the page matters more
  useEffect(() => { if (id) void load() }, [id])
  if (!list) return null
  const fresh = list.filter((p) => p.new_phone)
  return <section class="card" aria-labelledby="ph" data-testid="phones"><h2 id="ph">{w('phones')}</h2>
    {fresh.length === 0 ? <p>{w('noNew')}</p> : <ul data-testid="new-phones" style={bare}>{fresh.map((p) => <li key={p.person} style={row}><b>{p.name}: {w('newPhone')}</b><span class="sub num">{[homeOf(p.home)?.name, w('newSub', { t: when(p.new_phone!) })].filter(Boolean).join('. ')}</span></li>)}</ul>}
    {leads.value && <button type="button" class="big plain" data-testid="reinvite" onClick={() => setAsking(true)}><Icon n="people" /><span>{w('invite')}<small>{w('inviteSub')}</small></span></button>}
    {asking && <Again list={list} onClose={() => { setAsking(false); void load() }} />}
  </section>
}

function Again({ list, onClose }: { list: Phone[]; onClose: () => void }) {
  const [p, setP] = useState<Phone | null>(null), [i, setI] = useState<Invite | null>(null), [wrong, setWrong] = useState('')
  const go = (lost: boolean) => async () => { setWrong(''); try { setI(await reinvite(p!.person, lost)) } catch (e) { setWrong(why(e, w('fail'))) } }
  return <Sheet id="reinvite-sheet" label={w('who')} onClose={onClose}>
    {wrong && <p class="bnr bad" role="alert"><Icon n="wifi" /><span>{wrong}</span></p>}
    {i ? <><h2>{w('show', { name: i.name })}</h2><p style="text-align:center"><img src={i.qr} alt={i.link} width="240" height="240" style="max-width:100%;height:auto;border-radius:14px" /></p><p data-testid="invite-code" style="font-size:1.5rem;font-weight:800;text-align:center" class="num">{i.code}</p><p>{w('once')}</p></>
      : p ? <><h2>{w('how', { name: p.name })}</h2><button type="button" class="big calm" data-testid="changed" onClick={go(false)}><span>{w('changed')}<small style="color:inherit">{w('changedSub')}</small></span></button><button type="button" class="big alarm" data-testid="lost" onClick={go(true)}><span>{w('lost')}<small style="color:inherit">{w('lostSub')}</small></span></button></>
        : <><h2>{w('who')}</h2><ul class="pick">{list.map((x) => <li key={x.person}><button type="button" data-person={x.home} onClick={() => setP(x)}><Icon n="people" size={28} /><span><b>{x.name}</b>{[homeOf(x.home)?.name, !x.signed_in && w('out')].filter(Boolean).join(', ')}</span><Icon n="chev" /></button></li>)}</ul></>}
    <button type="button" class="big plain" data-testid="reinvite-done" onClick={onClose}>{w(i ? 'done' : 'cancel')}</button>
  </Sheet>
}

// See rest.ts: what comes first stays one file.
import './main'
