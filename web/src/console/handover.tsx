// The handover of a shift: what is open is written by the desk itself, the officer adds what only a person knows.
import { computed, signal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { call, get, uid } from '../lib/api'
import { groups } from '../lib/live'
import { dm, hm } from '../lib/time'
import type { Handover, Incident } from '../lib/types'
import { groupOf, mayAct, open, show, waiting } from './desk'
import { wrong } from './health'
import { Sign } from './icons'
import { stateWord } from './list'
import { kind, where } from './place'
import { say } from './say'

export const past = signal<Handover[] | 'failed' | null>(null)
export async function loadPast() { try { past.value = await get<Handover[]>('/api/v1/handovers') } catch { if (!Array.isArray(past.value)) past.value = 'failed' } }

const openLine = (i: Incident) => say('ho.line', { code: i.code, kind: kind(i), home: where(i), group: groupOf(i.group)?.name, t: hm(i.opened_at), state: stateWord(i).toLocaleLowerCase(), need: i.need_help ? say('row.need', { n: i.need_help }) : '' })

// facts are the lines nobody has to write: open incidents, channels, homes that cannot hear.
export const facts = computed<string[]>(() => {
  const deaf = groups.value.reduce((n, g) => n + g.readiness.red, 0)
  return [
    ...(open.value.length ? [say('ho.open', { n: open.value.length }), ...open.value.map((i) => '- ' + openLine(i))] : [say('ho.noopen')]),
    wrong.value.length ? say('ho.bad', { list: wrong.value.join('; ') }) : say('ho.allok'),
    ...(deaf ? [say('ho.homes', { n: deaf })] : []),
  ]
})

const draft = signal('')

async function leave() {
  try { await call('POST', '/api/v1/sign-out', {}) } finally { location.assign('/welcome') }
}

export function HandoverPane() {
  const el = useRef<HTMLTextAreaElement>(null), key = useRef(uid()), [state, setState] = useState<'' | 'busy' | 'sent' | string>('')
  useLayoutEffect(() => { el.current?.focus({ preventScroll: true }) }, [])
  useEffect(() => { void loadPast() }, [])
  const block = waiting.value
  const submit = async (e: Event) => {
    e.preventDefault()
    const text = draft.value.trim().normalize('NFC')
    if (!text) { el.current?.focus(); return setState(say('ho.need')) }
    setState('busy')
    try {
      await call('POST', '/api/v1/handovers', { text: [text, '', ...facts.value].join('\n') }, key.current)
      draft.value = ''; key.current = uid(); setState('sent'); void loadPast()
    } catch (x) { setState(say('act.failed', { act: say('ho.title'), why: x instanceof Error && x.message ? x.message : say('act.net') })) }
  }
  return <section class="hand" aria-labelledby="ht">
    <div class="bh"><h2 id="ht">{say('ho.title')}</h2><button type="button" class="sm" id="print" onClick={() => print()}><Sign n="print" />{say('ho.print')}</button></div>
    {block.length > 0 && <p class="mark help" data-mark="block"><Sign n="gong" /><span>{say('ho.block', { n: block.length })} <button type="button" class="lk" onClick={() => show(block[0].id)}>{say('ho.goto')}</button></span></p>}
    {mayAct.value && <form onSubmit={submit} noValidate>
      <label class="field" for="ho-text">{say('ho.text')} <span class="dim">{say('ho.text.hint')}</span></label>
      <textarea ref={el} id="ho-text" rows={4} maxLength={2000} value={draft.value} onInput={(e) => { draft.value = e.currentTarget.value; setState('') }} onKeyDown={(e) => { if (e.key === 'Escape') e.currentTarget.blur() }} aria-describedby="ho-facts" />
      <div class="facts" id="ho-facts"><h3>{say('ho.auto')}</h3><ul>{facts.value.map((f, n) => <li key={n} class={f.startsWith('- ') ? 'sub' : undefined}>{f.replace(/^- /, '')}</li>)}</ul></div>
      {state && state !== 'busy' && <p class={state === 'sent' ? 'okay' : 'err'} role={state === 'sent' ? 'status' : 'alert'}><Sign n={state === 'sent' ? 'check' : 'sos'} />{state === 'sent' ? say('ho.sent') : state}</p>}
      <div class="dlf"><button type="submit" class="go come" id="ho-send" disabled={block.length > 0 || state === 'busy'}>{state === 'busy' ? say('act.sending') : say('ho.send')}</button><button type="button" class="plain" id="sign-out" onClick={() => void leave()}>{say('ho.leave')}</button></div>
    </form>}
    <h3 class="pasth">{say('ho.past')}</h3>
    {past.value === 'failed' ? <p class="dim">{say('g.fail')} <button type="button" class="lk" onClick={() => void loadPast()}>{say('g.again')}</button></p> : !past.value?.length ? <p class="dim">{say('ho.nopast')}</p>
      : <ol class="past">{past.value.map((h) => <li key={h.id}><p class="dim num">{hm(h.at)} {dm(h.at)} · <b>{h.by}</b></p><p class="tx">{h.text}</p></li>)}</ol>}
  </section>
}
