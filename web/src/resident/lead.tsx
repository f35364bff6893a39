// What a leader does in an open incident, and answering for a neighbour.
import { useState } from 'preact/hooks'
import { t as common } from '../lib/i18n'
import { group, me, now } from '../lib/live'
import { hm, ms } from '../lib/time'
import type { Answer, Cause, Home, Incident } from '../lib/types'
import { AnswerButton, HouseGlyph, Icon, Sheet, rollOf, seat } from '../lib/ui'
import { HomeNotes, l } from './later'
import { answer, close, open, respond, silence } from './model'

export function LeaderActs({ i }: { i: Incident }) {
  const resting = i.silences.find((s) => s.home === '' && ms(s.until) > now.value)
  return <>{i.mode === 'live' && <HomeNotes i={i} />}<section class="card acts" aria-labelledby="acts" data-testid="leader-acts"><h2 id="acts">{l('acts')}</h2>
    {i.response === 'unacknowledged' && <button type="button" class="big plain" data-testid="acknowledge" onClick={() => respond(i, 'acknowledge')}><Icon n="shield" />{l('acknowledge')}</button>}
    {i.response !== 'attended' && i.response !== 'under_control' && <button type="button" class="big plain" data-testid="attend" onClick={() => respond(i, 'attend')}><Icon n="people" />{l('attend')}</button>}
    {i.response !== 'under_control' && <button type="button" class="big plain" data-testid="control" onClick={() => respond(i, 'control')}><Icon n="check" />{l('control')}</button>}
    {resting ? <p class="sub num">{l('silencedUntil', { t: hm(resting.until) })}</p> : i.annunciation === 'sounding' && <button type="button" class="big plain" data-testid="silence-all" onClick={() => silence(i, '')}><Icon n="mute" />{l('silenceAll')}</button>}
    <button type="button" class="big plain" data-testid="close" onClick={() => { open.value = { what: 'close', incident: i } }}><Icon n="flag" />{l('closeIt')}</button>
  </section></>
}

const causesOf = (i: Incident): Cause[] => i.mode === 'drill' ? ['drill'] : i.mode === 'test' ? ['test'] : ['real', 'mistaken_alarm', 'nuisance', 'test', 'unknown']

// CloseSheet: an incident ends with a cause and a name. Whether somebody lied is never asked here.
export function CloseSheet({ i }: { i: Incident }) {
  const causes = causesOf(i), [cause, setCause] = useState<Cause | undefined>(causes.length === 1 ? causes[0] : undefined), [note, setNote] = useState('')
  const done = () => { open.value = null }, need = i.mode === 'live' && i.need_help > 0
  return <Sheet id="close-sheet" label={l('closeTitle')} onClose={done}>
    <h2>{l('closeTitle')}</h2><p>{need ? l('closeNeed') : l('closeBody')}</p>
    <div class="choices" role="radiogroup" aria-label={l('closeTitle')}>{causes.map((c) => <label key={c} class="choice"><input type="radio" name="cause" value={c} checked={cause === c} onChange={() => setCause(c)} /><span>{common('cause_' + c)}</span></label>)}</div>
    <label class="field"><span>{l('note')}</span><textarea rows={2} maxLength={500} value={note} onInput={(e) => setNote(e.currentTarget.value)} /></label>
    <button type="button" class="big calm" data-testid="close-yes" disabled={!cause || need} onClick={() => { close(i, cause!, note.normalize('NFC').trim()); done() }}>{l('closeYes')}</button>
    <button type="button" class="big plain" onClick={done}>{common('cancel')}</button>
  </Sheet>
}

// Behalf: anybody may answer for a home, openly, under their own name.
export function Behalf({ i }: { i: Incident }) {
  const [h, setHome] = useState<Home | null>(null), [why, setWhy] = useState('')
  const done = () => { open.value = null }, homes = group.value?.homes.filter((x) => x.id !== me.value?.home) ?? []
  const calling = !!h && rollOf(i, h.id)?.answer === 'need_help'
  const say = (a: Answer) => () => { answer(i, a, h!.id, why.normalize('NFC').trim() || undefined); done() }
  return <Sheet id="behalf" label={l('behalfTitle')} onClose={done}>
    <h2>{h ? l('behalfHow', { name: h.name }) : l('behalfTitle')}</h2><p>{calling ? l('behalfReasonSub') : l('behalfBody')}</p>
    {!h && <ul class="pick">{homes.map((x) => { const s = seat(i, x, ''); return <li key={x.id}><button type="button" data-home={x.id} onClick={() => setHome(x)}><HouseGlyph look={s.look} icon={s.icon} /><span><b>{x.name}</b>{s.word}</span><Icon n="chev" /></button></li> })}</ul>}
    {calling && <label class="field"><span>{l('behalfReason')}</span><textarea rows={2} maxLength={300} value={why} onInput={(e) => setWhy(e.currentTarget.value)} /></label>}
    {h && (!calling || why.trim()) && <><AnswerButton look="safe" label={l('behalfSafe')} onPick={say('safe')} /><AnswerButton look="away" label={l('behalfAway')} onPick={say('away')} /></>}
    {h && !calling && <AnswerButton look="help" label={l('behalfHelp')} onPick={say('need_help')} />}
    <button type="button" class="big plain" onClick={h ? () => setHome(null) : done}>{h ? l('back') : common('close')}</button>
  </Sheet>
}
