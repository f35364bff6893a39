// The group from inside: homes and people, rules, equipment, neighbours, skills, the sealed note, leaving; and founding one.
import { useEffect, useState } from 'preact/hooks'
import type { ComponentChildren } from 'preact'
import { get, uid } from '../lib/api'
import { t as common } from '../lib/i18n'
import { homeOf, me, refresh } from '../lib/live'
import { dm, hm } from '../lib/time'
import type { Incident } from '../lib/types'
import { Icon, Sheet } from '../lib/ui'
import { wipe } from '../lib/db'
import { act, busy, failed, group, here, inside, load, o, why, type Gear, type Household, type Inside, type Letter, type Neighbour, type Note } from './inside'

const box = 'font:inherit;font-weight:400;color:var(--ink);background:var(--bg);border:1.5px solid var(--line-strong);border-radius:var(--r2);padding:12px;min-height:58px;width:100%;min-width:0'
const stack = 'display:flex;flex-direction:column;gap:var(--s3)'
const line = 'display:flex;flex-wrap:wrap;gap:8px 12px;align-items:center;justify-content:space-between;padding:10px 0;border-top:1px solid var(--line)'

const Fail = () => failed.value ? <p class="bnr bad" role="alert" data-testid="own-failed"><Icon n="sos" /><span>{failed.value}</span></p> : null

function Field({ label, value, set, eg, type, rows, id, most }: { label: string; value: string; set: (v: string) => void; eg?: string; type?: 'text' | 'date'; rows?: number; id: string; most?: number }) {
  return <label class="field"><span>{label}</span>{rows
    ? <textarea id={id} rows={rows} maxLength={most} placeholder={eg} value={value} onInput={(e) => set(e.currentTarget.value)} />
    : type === 'date' ? <input id={id} style={box} type="date" value={value} onInput={(e) => set(e.currentTarget.value)} />
    : <input id={id} style={box} type="text" maxLength={most ?? 120} placeholder={eg} autocomplete="off" value={value} onInput={(e) => set(e.currentTarget.value)} />}</label>
}

function Big({ icon, children, on, off, look = 'calm', testid }: { icon: string; children: ComponentChildren; on: () => void; off?: boolean; look?: string; testid: string }) {
  return <button type="button" class={'big ' + look} data-testid={testid} disabled={off || busy.value} onClick={on}><Icon n={icon} /><span>{children}</span></button>
}

const day = (iso: string) => iso.split('-').reverse().join('/')
const clean = (s: string) => s.normalize('NFC').trim()

type Pane = 'homes' | 'rules' | 'gear' | 'around' | 'skills' | 'lead' | 'note' | 'leave'

// Own is the card on the group's page; each row opens one sheet with one matter.
export function Own() {
  const [pane, setPane] = useState<Pane | null>(null), w = inside.value
  useEffect(() => { failed.value = ''; void load() }, [me.value?.group])
  if (!w) return <section class="card"><p role="status">{failed.value || o('loading')}</p></section>
  const people = w.homes.reduce((n, h) => n + h.adults.length, 0), bad = w.gear.filter((x) => x.state !== 'good').length, asks = w.neighbours.filter((x) => x.state === 'asks').length, c = w.charter
  const rows: [Pane, string, string, string][] = [
    ['homes', 'door', o('homes'), o('homesSub', { n: w.homes.length, m: people })],
    ['rules', 'shield', o('rules'), c ? o('rulesSub', { v: c.version, n: c.signed, m: w.homes.length }) : o('rulesNone')],
    ['gear', 'tool', o('gear'), bad ? o('gearBad', { n: bad }) : o('gearSub', { n: w.gear.length })],
    ['around', 'flag', o('around'), asks ? o('asksUs', { n: asks }) : w.assembly?.text ?? o('aroundNone')],
    ['skills', 'hand', o('skills'), w.mine.map((s) => o('skill_' + s)).join(', ') || o('skillsNone')],
    ['note', 'heart', o('note'), o('noteSub')],
    ['leave', 'door', o('leave'), o('leaveSub')],
  ]
  if (w.leads) rows.splice(2, 0, ['lead', 'people', o('lead'), w.terms.filter((x) => x.holds).map((x) => x.name).join(', ') || o('noTerms')])
  return <>
    {c && !c.mine && me.value?.home && <section class="card note" data-testid="to-sign"><h2>{o('toSign')}</h2><Big icon="shield" testid="read-sign" on={() => setPane('rules')}>{o('readSign')}</Big></section>}
    <section class="card" aria-labelledby="own" data-testid="own"><h2 id="own">{o('title')}</h2><ul class="pick">{rows.map(([p, icon, name, sub]) => <li key={p} style="padding:4px 0"><button type="button" data-pane={p} onClick={() => { failed.value = ''; setPane(p) }}><Icon n={icon} size={26} /><span><b>{name}</b>{sub}</span><Icon n="chev" /></button></li>)}</ul></section>
    {pane && <Sheet id="own-sheet" label={o(pane)} onClose={() => setPane(null)}><h2>{o(pane)}</h2><Fail /><Body pane={pane} w={w} /><button type="button" class="big plain" data-testid="own-close" onClick={() => setPane(null)}>{common('close')}</button></Sheet>}
  </>
}

function Body({ pane, w }: { pane: Pane; w: Inside }) {
  switch (pane) {
    case 'homes': return <Homes w={w} />
    case 'rules': return <Rules w={w} />
    case 'gear': return <GearPane w={w} />
    case 'around': return <Around w={w} />
    case 'skills': return <Skills w={w} />
    case 'lead': return <Lead w={w} />
    case 'note': return <NotePane />
    case 'leave': return <Leave w={w} />
  }
}

// ---- homes

type Step = null | { what: 'add' } | { what: 'home'; h: Household } | { what: 'invite'; h: Household } | { what: 'letter'; l: Letter } | { what: 'remove'; h: Household }

function Homes({ w }: { w: Inside }) {
  const [step, go] = useState<Step>(null), back = () => { failed.value = ''; go(null) }
  if (step?.what === 'add') return <HomeForm onBack={back} save={async (body) => { if (await act(group('/homes'), body)) back() }} />
  if (step?.what === 'home') { const h = step.h; return <HomeForm h={h} onBack={back} save={async (body) => { if (await act(group(`/homes/${h.id}`), body)) { void refresh(); back() } }} /> }
  if (step?.what === 'invite') return <Invite h={step.h} onBack={back} onMade={(l) => go({ what: 'letter', l })} />
  if (step?.what === 'letter') return <LetterView l={step.l} onDone={back} />
  if (step?.what === 'remove') { const h = step.h; return <div style={stack}><h3>{o('removeHomeAsk', { home: h.name })}</h3><p>{o('removeHomeSub')}</p><Big icon="x" look="alarm" testid="remove-home-yes" on={() => void act(group(`/homes/${h.id}/leave`)).then((ok) => { if (ok) back() })}>{o('removeHome')}</Big><button type="button" class="big plain" onClick={back}>{o('back')}</button></div> }
  return <div style={stack}>
    {w.size_key && <p class="sub">{o(w.size_key === 'group.size_small' ? 'sizeSmall' : 'sizeLarge', { least: w.least, most: w.most })}</p>}
    {w.leads && <Big icon="door" testid="add-home" on={() => go({ what: 'add' })}>{o('addHome')}</Big>}
    {w.homes.map((h) => { const own = h.id === me.value?.home; return <section key={h.id} data-household={h.id} style="border-top:1px solid var(--line);padding-top:12px">
      <h3>{h.name}</h3><p class="sub">{[h.address, o(h.placed ? 'hasPlace' : 'hasNoPlace')].filter(Boolean).join('. ')}</p>
      <ul class="list" style="border:0;margin:0">{h.adults.map((a) => <li key={a.person} data-adult={a.person} data-came={a.came}><b>{a.name}{a.role !== 'member' && `, ${common(a.role).toLocaleLowerCase()}`}{!a.came && ` (${o('notCame')})`}</b>{a.skills.length > 0 && a.skills.map((s) => o('skill_' + s)).join(', ')}</li>)}{!h.adults.length && <li>{o('noAdult')}</li>}</ul>
      {(w.leads || own) && <div class="two" style="margin-top:8px"><button type="button" class="out" data-testid="invite" onClick={() => go({ what: 'invite', h })}>{o('invite')}</button><button type="button" class="out" data-testid="edit-home" onClick={() => go({ what: 'home', h })}>{o('edit')}</button>{w.leads && !own && !h.adults.some((a) => a.came) && <button type="button" class="out" data-testid="remove-home" onClick={() => go({ what: 'remove', h })}>{o('removeHome')}</button>}</div>}
    </section> })}
  </div>
}

interface HomeBody { name: string; address: string; lat?: number; lon?: number; placed?: boolean }

function HomeForm({ h, save, onBack }: { h?: Household; save: (b: HomeBody) => void; onBack: () => void }) {
  const known = h ? homeOf(h.id) : null
  const [name, setName] = useState(h?.name ?? ''), [address, setAddress] = useState(h?.address ?? ''), [at, setAt] = useState(known?.placed ? { lat: known.lat, lon: known.lon } : null)
  return <div style={stack}><HomeFields {...{ name, setName, address, setAddress, at, setAt }} />
    <Big icon="check" testid="save-home" off={!clean(name)} on={() => save(homeBody(name, address, at))}>{o('save')}</Big><button type="button" class="big plain" onClick={onBack}>{o('back')}</button></div>
}

type At = { lat: number; lon: number } | null
const homeBody = (name: string, address: string, at: At): HomeBody => ({ name: clean(name), address: clean(address), ...(at ? { ...at, placed: true } : {}) })

function HomeFields({ name, setName, address, setAddress, at, setAt }: { name: string; setName: (v: string) => void; address: string; setAddress: (v: string) => void; at: At; setAt: (a: At) => void }) {
  const [no, setNo] = useState(false)
  return <><Field id="home-name" label={o('homeName')} eg={o('homeNameEg')} value={name} set={setName} /><Field id="home-address" label={o('address')} eg={o('addressEg')} value={address} set={setAddress} most={200} />
    <button type="button" class="out" data-testid="gps" onClick={() => void here().then((p) => { setNo(!p); if (p) setAt(p) })}><Icon n="pin" /><span>{o('takePlace')}</span></button>
    {at ? <p class="state y" style="margin:0" role="status"><Icon n="check" />{o('tookPlace')}</p> : no && <p class="sub" role="status">{o('noPlace')}</p>}</>
}

function Invite({ h, onBack, onMade }: { h: Household; onBack: () => void; onMade: (l: Letter) => void }) {
  const waiting = h.adults.find((a) => !a.came)
  const [name, setName] = useState(waiting?.name ?? '')
  return <div style={stack}><h3>{o('inviteWho', { home: h.name })}</h3><p>{o('inviteSub')}</p><Field id="invite-name" label={o('inviteName')} value={name} set={setName} />
    <Big icon="tip" testid="invite-yes" off={!clean(name)} on={() => void act<Letter>(group(`/homes/${h.id}/invites`), { name: clean(name) }).then((l) => { if (l) onMade(l) })}>{o('inviteYes')}</Big><button type="button" class="big plain" onClick={onBack}>{o('back')}</button></div>
}

// LetterView shows an invite once: to be scanned, read aloud, or sent.
export function LetterView({ l, onDone }: { l: Letter; onDone: () => void }) {
  const [copied, setCopied] = useState(false), text = o('letterText', { by: me.value?.name, name: l.name, link: l.link })
  const share = 'share' in navigator ? () => void navigator.share({ text }).catch(() => undefined) : undefined
  const copy = async () => { try { await navigator.clipboard.writeText(text); setCopied(true) } catch { setCopied(false) } }
  return <div style={stack} data-testid="letter"><h3>{o('letter', { name: l.name })}</h3><p>{o('letterScan', { name: l.name })}</p>
    <img src={l.qr} alt="" style="width:min(100%,240px);margin:0 auto;background:#fff;padding:8px;border-radius:var(--r1)" />
    <p>{o('letterCode', { host: location.host })}</p><p class="num" data-testid="code" style="font-size:1.5rem;font-weight:800;color:var(--ink);letter-spacing:.04em;text-align:center">{l.code}</p>
    {share && <Big icon="tip" testid="share" on={share}>{o('letterSend')}</Big>}
    <button type="button" class="big plain" data-testid="copy" onClick={() => void copy()}>{o('letterCopy')}</button>{copied && <p class="state y" style="margin:0" role="status"><Icon n="check" />{o('letterCopied')}</p>}
    <p class="sub">{o('letterTill', { t: `${hm(l.expires)} ${dm(l.expires)}` })}</p><button type="button" class="big plain" data-testid="letter-done" onClick={onDone}>{o('done')}</button></div>
}

// ---- rules

let draft = '' // an alarm takes the sheet away; what was written stays

function Rules({ w }: { w: Inside }) {
  const c = w.charter, [writing, write] = useState(!!draft), [text, setText] = useState(draft)
  const set = (v: string) => { draft = v; setText(v) }
  if (writing) return <div style={stack}><p>{c ? o('rewriteSub') : o('signSub')}</p><Field id="charter" label={o('rules')} rows={12} most={20000} value={text} set={set} />
    <Big icon="check" testid="publish" off={!clean(text)} on={() => void act(group('/charters'), { text: clean(text) }).then((ok) => { if (ok) { set(''); write(false) } })}>{o('publish')}</Big><button type="button" class="big plain" onClick={() => { set(''); write(false) }}>{o('back')}</button></div>
  const missing = c ? w.homes.filter((h) => c.missing.includes(h.id)).map((h) => h.name) : []
  return <div style={stack}>
    {c ? <><p style="white-space:pre-wrap;color:var(--ink)" data-testid="charter-text">{c.text}</p>
      {c.mine ? <p class="state y" style="margin:0" data-testid="signed"><Icon n="check" />{o(c.mine.by ? 'signedBy' : 'signedGone', { name: c.mine.by, t: dm(c.mine.at) })}</p>
        : me.value?.home && <><Big icon="shield" testid="sign" on={() => void act(group(`/charters/${c.version}/signature`))}>{o('sign')}</Big><p class="sub">{o('signSub')}</p></>}
      <p class="sub num" data-testid="signed-count">{o('rulesSub', { v: c.version, n: c.signed, m: w.homes.length })}</p>
      {w.leads && <p class="sub" data-testid="unsigned">{missing.length ? o('missing', { n: missing.length, list: missing.join(', ') }) : o('allSigned')}</p>}</> : <p>{o('rulesNone')}</p>}
    {w.leads && <button type="button" class="big plain" data-testid="write-charter" onClick={() => { set(c?.text ?? o('template')); write(true) }}>{o(c ? 'rewrite' : 'write')}</button>}
  </div>
}

// ---- gear

const kinds = ['extinguisher', 'breaking_tool', 'ladder', 'key', 'first_aid', 'torch', 'mask', 'other']

function GearPane({ w }: { w: Inside }) {
  const [adding, add] = useState(false)
  const mine = (x: Gear) => w.leads || (x.home !== '' && x.home === me.value?.home)
  if (adding) return <GearForm w={w} onDone={() => add(false)} />
  return <div style={stack}>{!w.gear.length && <p>{o('gearNone')}</p>}
    <div>{w.gear.map((x) => <div key={x.id} style={line} data-gear={x.id} data-state={x.state}><span style="flex:1 1 9rem;min-width:0"><b>{o('kind_' + x.kind)}</b><span class="sub" style="display:block">{[x.label, x.home ? homeOf(x.home)?.name : o('gearCommon')].filter(Boolean).join(', ')}</span>
      {x.expires && <span class={'tag ' + (x.state === 'good' ? 'safe' : x.state === 'soon' ? 'warn' : 'help')} style="margin-top:4px;font-size:.86rem;border-radius:var(--r1)"><Icon n={x.state === 'good' ? 'check' : 'sos'} />{o(x.state === 'expired' ? 'tillGone' : 'till', { t: day(x.expires) })}{x.state === 'soon' && x.days !== null && `, ${o('leftDays', { n: x.days })}`}</span>}</span>
      {mine(x) && <button type="button" class="out" style="padding:0 16px" data-testid="scrap" onClick={() => void act(group(`/gear/${x.id}/scrap`))}>{o('remove')}</button>}</div>)}</div>
    {(w.leads || me.value?.home) && <Big icon="tool" testid="add-gear" on={() => add(true)}>{o('gearAdd')}</Big>}</div>
}

function GearForm({ w, onDone }: { w: Inside; onDone: () => void }) {
  const own = me.value?.home ?? ''
  const [kind, setKind] = useState('extinguisher'), [home, setHome] = useState(own), [label, setLabel] = useState(''), [till, setTill] = useState('')
  return <div style={stack}>
    <Pick id="gear-kind" label={o('gearWhat')} value={kind} set={setKind} options={kinds.map((k) => [k, o('kind_' + k)])} />
    <Field id="gear-label" label={o('gearLabel')} eg={o('gearLabelEg')} value={label} set={setLabel} most={160} />
    {w.leads && <Pick id="gear-home" label={o('gearWhere')} value={home} set={setHome} options={[['', o('gearCommon')], ...w.homes.map((h): [string, string] => [h.id, h.name])]} />}
    <Field id="gear-till" label={o('gearTill')} type="date" value={till} set={setTill} />
    <Big icon="check" testid="save-gear" on={() => void act(group('/gear'), { kind, home: home || undefined, label: clean(label), expires: till || undefined }).then((ok) => { if (ok) onDone() })}>{o('save')}</Big><button type="button" class="big plain" onClick={onDone}>{o('back')}</button></div>
}

function Pick({ id, label, value, set, options }: { id: string; label: string; value: string; set: (v: string) => void; options: [string, string][] }) {
  return <label class="field"><span>{label}</span><select id={id} style={box} value={value} onChange={(e) => set(e.currentTarget.value)}>{options.map(([v, text]) => <option key={v} value={v}>{text}</option>)}</select></label>
}

// ---- around

function Around({ w }: { w: Inside }) {
  const [text, setText] = useState<string | null>(null), [at, setAt] = useState<At>(null), [other, setOther] = useState('')
  const reply = (n: Neighbour, answer: string) => void act(group(`/neighbours/${n.group}`), { answer })
  return <div style={stack}>
    <section style={stack}><h3>{o('assembly')}</h3>
      {text === null ? <><p data-testid="assembly" style="color:var(--ink);font-weight:600">{w.assembly?.text ?? o('noAssembly')}</p>{w.leads && <button type="button" class="big plain" data-testid="edit-assembly" onClick={() => setText(w.assembly?.text ?? '')}>{o('edit')}</button>}</>
        : <><Field id="assembly-text" label={o('assembly')} eg={o('assemblyEg')} value={text} set={setText} most={300} /><button type="button" class="out" onClick={() => void here().then(setAt)}><Icon n={at ? 'check' : 'pin'} /><span>{o(at ? 'tookPlace' : 'takePlace')}</span></button>
          <Big icon="check" testid="save-assembly" off={!clean(text)} on={() => void act(group('/assembly'), { text: clean(text), ...(at ? { ...at, placed: true } : {}) }).then((ok) => { if (ok) setText(null) })}>{o('save')}</Big></>}
    </section>
    <section><h3>{o('neighbours')}</h3><p class="sub">{o('neighboursSub')}</p>{!w.neighbours.length && <p>{o('noNeighbours')}</p>}
      {w.neighbours.map((n) => <div key={n.group} style={line} data-neighbour={n.group} data-state={n.state}><span style="flex:1 1 9rem;min-width:0"><b>{n.name}</b><span class="sub" style="display:block">{[n.neighbourhood, o(n.state)].filter(Boolean).join(', ')}</span></span>
        {w.leads && (n.state === 'asks' ? <><button type="button" class="out" style="padding:0 16px" data-testid="accept" onClick={() => reply(n, 'yes')}>{o('accept')}</button><button type="button" class="out" style="padding:0 16px" data-testid="refuse" onClick={() => reply(n, 'no')}>{o('refuse')}</button></> : <button type="button" class="out" style="padding:0 16px" data-testid="part" onClick={() => reply(n, 'part')}>{o('part')}</button>)}</div>)}
    </section>
    {w.leads && w.nearby.length > 0 && <section style={stack}><Pick id="ask-group" label={o('ask')} value={other} set={setOther} options={[['', o('pick')], ...w.nearby.map((n): [string, string] => [n.group, [n.name, n.neighbourhood].filter(Boolean).join(', ')])]} /><Big icon="people" testid="ask-neighbour" off={!other} on={() => void act(group('/neighbours'), { group: other }).then((ok) => { if (ok) setOther('') })}>{o('askYes')}</Big></section>}
  </div>
}

// ---- skills

const skills = ['first_aid', 'electrician', 'nurse', 'fire', 'swim', 'drive', 'strong', 'plumber']

function Skills({ w }: { w: Inside }) {
  return <div><p>{o('skillsSub')}</p>{skills.map((s) => <label key={s} class="switchrow" style="margin-top:8px"><span>{o('skill_' + s)}</span><input type="checkbox" role="switch" data-skill={s} checked={w.mine.includes(s)} onChange={(e) => void act('/me/skills', { skill: s, on: e.currentTarget.checked })} /></label>)}</div>
}

// ---- leader and deputy

function Lead({ w }: { w: Inside }) {
  const [who, setWho] = useState(''), [role, setRole] = useState('deputy'), [till, setTill] = useState('')
  const adults = w.homes.flatMap((h) => h.adults.filter((a) => a.came).map((a): [string, string] => [a.person, `${a.name}, ${h.name}`]))
  return <div style={stack}>{!w.terms.length && <p>{o('noTerms')}</p>}
    <div>{w.terms.map((x) => <div key={x.id} style={line} data-term={x.id}><span style="flex:1 1 9rem;min-width:0"><b>{x.name}</b><span class="sub" style="display:block">{[o('role_' + x.role), o('since', { t: day(x.from) }), x.until && o('until', { t: day(x.until) })].filter(Boolean).join(', ')}</span></span>{x.person !== me.value?.person && <button type="button" class="out" style="padding:0 16px" data-testid="end-term" onClick={() => void act(group(`/terms/${x.id}/end`))}>{o('endTerm')}</button>}</div>)}</div>
    <h3>{o('nameOne')}</h3><Pick id="term-person" label={o('namePerson')} value={who} set={setWho} options={[['', o('pick')], ...adults]} /><Pick id="term-role" label={o('nameRole')} value={role} set={setRole} options={[['deputy', o('role_deputy')], ['leader', o('role_leader')]]} /><Field id="term-until" label={o('nameUntil')} type="date" value={till} set={setTill} />
    {role === 'leader' && <p class="bnr"><Icon n="sos" /><span>{o('handOver')}</span></p>}
    <Big icon="check" testid="name-yes" off={!who} on={() => void act(group('/terms'), { person: who, role, until: till || undefined }).then((ok) => { if (ok) { setWho(''); setTill(''); void refresh() } })}>{o('nameYes')}</Big></div>
}

// ---- the sealed note of one's own home

let noteDraft: string | null = null

function NotePane() {
  const [note, setNote] = useState<Note | null>(null), [text, setText] = useState(noteDraft ?? ''), [said, setSaid] = useState('')
  const fetchIt = () => get<Note>('/api/v1/me/note').then((n) => { setNote(n); if (noteDraft === null) setText(n.text) }, (e: unknown) => { failed.value = why(e) })
  useEffect(() => void fetchIt(), [])
  const set = (v: string) => { noteDraft = v; setSaid(''); setText(v) }
  const save = async () => { const v = clean(text); if (await act('/me/note', { text: v })) { noteDraft = null; setSaid(o(v ? 'noteSaved' : 'noteGone')); void fetchIt() } }
  return <div style={stack}><p>{o('noteBody')}</p><Field id="note-text" label={o('note')} rows={5} most={500} eg={o('noteEg')} value={text} set={set} />
    <Big icon="shield" testid="save-note" on={() => void save()}>{o('save')}</Big>{said && <p class="state y" style="margin:0" role="status" data-testid="note-said"><Icon n="check" />{said}</p>}
    <h3>{o('opened')}</h3>{note && !note.openings.length && <p>{o('openedNone')}</p>}<ul class="list" style="margin:0;border:0" data-testid="openings">{note?.openings.map((x) => <li key={x.at + x.by}>{o('openedBy', { name: x.by || o('somebody'), role: common(x.role), t: `${hm(x.at)} ${dm(x.at)}` })}</li>)}</ul></div>
}

// ---- leaving: two taps

function Leave({ w }: { w: Inside }) {
  const [what, setWhat] = useState<'me' | 'home' | null>(null), home = w.homes.find((h) => h.id === me.value?.home), last = home?.adults.length === 1, leader = me.value?.role === 'leader'
  const gone = async () => {
    if (!(await act(what === 'me' ? '/me/leave' : group(`/homes/${me.value?.home}/leave`), {}, { last: true }))) return
    await Promise.all([wipe('kept'), wipe('outbox')])
    location.replace('/welcome')
  }
  if (what) return <div style={stack}>{leader && <p class="bnr"><Icon n="sos" /><span>{o('leaveLead')}</span></p>}<p>{o(what === 'home' ? 'leaveHomeSub' : 'leaveMeSub')}</p>{what === 'me' && last && <p>{o('leaveLast')}</p>}
    <Big icon="door" look="alarm" testid="leave-yes" on={() => void gone()}>{o('leaveYes')}</Big><button type="button" class="big plain" onClick={() => setWhat(null)}>{o('stay')}</button></div>
  return <div style={stack}><p>{o('leaveSub')}.</p><Big icon="door" look="plain" testid="leave-me" on={() => setWhat('me')}>{o('leaveMe')}</Big><Big icon="people" look="plain" testid="leave-home" on={() => setWhat('home')}>{o('leaveHome')}</Big></div>
}

// ---- in a live alarm: the notes of homes, for who may open them now

export function HomeNotes({ i }: { i: Incident }) {
  const [homes, setHomes] = useState<string[]>([]), [open, setOpen] = useState<Record<string, string>>({})
  const mine = i.homes.find((r) => r.home === me.value?.home)?.people?.find((p) => p.person === me.value?.person)?.answer ?? ''
  useEffect(() => {
    setHomes([]); setOpen({})
    if (i.closed || i.condition === 'pre_alarm' || (mine !== 'coming' && me.value?.role !== 'leader')) return
    let again: ReturnType<typeof setTimeout>, live = true, tries = 5 // "coming" may still be on its way to the server
    const ask = () => void get<string[]>(`/api/v1/incidents/${i.id}/home-notes`).then((l) => { if (live) setHomes(l) }, () => { if (live && tries-- > 0) again = setTimeout(ask, 3000) })
    ask()
    return () => { live = false; clearTimeout(again) }
  }, [i.id, mine, i.condition, !!i.closed])
  if (!homes.length) return null
  const first = i.origins[0]?.home, sorted = [...homes].sort((a, b) => +(b === first) - +(a === first))
  return <section class="card note" aria-labelledby="hn" data-testid="home-notes"><h2 id="hn">{o('openNotes')}</h2><p>{o('openNotesSub')}</p><Fail />
    <div style={stack}>{sorted.map((h) => open[h] !== undefined ? <div key={h} data-note={h}><b>{homeOf(h)?.name}</b><p style="color:var(--ink);font-weight:700;white-space:pre-wrap" role="status">{open[h]}</p></div>
      : <button key={h} type="button" class="big plain" data-open-note={h} disabled={busy.value} onClick={() => void act<{ text: string }>(`/incidents/${i.id}/home-notes/${h}`).then((n) => { if (n) setOpen((was) => ({ ...was, [h]: n.text })) })}><Icon n="heart" /><span>{h === first ? o('openNoteThis') : o('openNote', { home: homeOf(h)?.name ?? '' })}</span></button>)}</div></section>
}

// ---- founding

export function Found() {
  const [at, setAt] = useState<{ name: string } | null>(null)
  const [name, setName] = useState(''), [nb, setNb] = useState(''), [home, setHome] = useState(''), [address, setAddress] = useState(''), [place, setPlace] = useState<At>(null), [key] = useState(uid)
  useEffect(() => { get<{ unit: string; name: string }>('/api/v1/me/founding').then((f) => { if (f.unit) setAt(f) }, () => undefined) }, [])
  if (!at) return null
  const go = async () => { if (await act<{ id: string }>('/groups', { name: clean(name), neighbourhood: clean(nb), home: homeBody(home, address, place) }, { key })) await refresh() }
  return <section class="card" aria-labelledby="fd" data-testid="found"><div style={stack}><h2 id="fd">{o('foundTitle')}</h2><p>{o('foundBody', { unit: at.name })}</p><Fail />
    <Field id="group-name" label={o('foundName')} eg={o('foundNameEg')} value={name} set={setName} /><Field id="group-place" label={o('foundPlace')} eg={o('foundPlaceEg')} value={nb} set={setNb} />
    <HomeFields name={home} setName={setHome} address={address} setAddress={setAddress} at={place} setAt={setPlace} />
    <Big icon="gong" testid="found-yes" off={!clean(name) || !clean(home)} on={() => void go()}>{o('foundYes')}</Big></div></section>
}

// As in rest.ts: what comes first stays one file.
import './main'
