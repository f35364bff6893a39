// The queue of people who ask for their rights over their data, for the person responsible: the most urgent first.
import { useEffect, useState } from 'preact/hooks'
import { Refusal, call, get, uid } from '../lib/api'
import { words } from '../lib/i18n'
import { dm, hm } from '../lib/time'
import { Sign } from './icons'
import { vi, type Key } from './words/rights.vi'

const w = words(vi, () => import('./words/rights.en'))

interface Ask { id: string; kind: string; text: string; who: string; home: string; group: string; made: string; reply: string; due: string; late: boolean; taken?: string; longer?: string; ended?: string; outcome: '' | 'done' | 'refused'; answer: string; can: Record<string, boolean> }

const why = (e: unknown) => (e instanceof Refusal && e.message) || w('fail')
const when = (at: string) => `${hm(at)} ${dm(at)}`

export function Rights() {
  const [list, setList] = useState<Ask[] | null>(null), [wrong, setWrong] = useState('')
  const load = async () => { setWrong(''); try { setList(await get<Ask[]>('/api/v1/privacy/requests')) } catch (e) { setWrong(why(e)) } }
  useEffect(() => { void load() }, [])
  return <section class="hand" aria-labelledby="rq" data-testid="rights"><div class="bh"><h2 id="rq">{w('title')}</h2></div><p class="dim">{w('sub')}</p>
    {wrong && <p class="err" role="alert"><Sign n="sos" />{wrong} <button type="button" class="lk" onClick={() => void load()}>{w('again')}</button></p>}
    {!list ? !wrong && <p class="dim" role="status">{w('loading')}</p> : !list.length ? <p class="dim">{w('none')}</p>
      : <ol class="past">{list.map((r) => <Row key={r.id} r={r} onDone={() => void load()} onWrong={setWrong} />)}</ol>}
  </section>
}

function Row({ r, onDone, onWrong }: { r: Ask; onDone: () => void; onWrong: (s: string) => void }) {
  const [doing, setDoing] = useState<'' | 'yes' | 'no' | 'more'>(''), [text, setText] = useState(''), [key] = useState(uid), must = doing === 'no' || doing === 'more'
  const act = async (rest: string, body: unknown = {}) => { onWrong(''); try { await call('POST', `/api/v1/privacy/requests/${r.id}/${rest}`, body, key + rest); setDoing(''); onDone() } catch (e) { onWrong(why(e)) } }
  const send = (e: Event) => { e.preventDefault(); void (doing === 'more' ? act('lengthen', { text }) : act('answer', { outcome: doing === 'yes' ? 'done' : 'refused', text })) }
  const id = 'rt-' + r.id
  return <li data-request={r.id} data-kind={r.kind} data-outcome={r.outcome || 'open'}>
    <p><b>{w(('k_' + r.kind) as Key)}</b> · {r.who ? [r.who, r.home, r.group].filter(Boolean).join(', ') : w('erased')}{r.late && <strong class="err"> <Sign n="clock" />{w('late')}</strong>}</p>
    {r.text && <p class="tx">{r.text}</p>}
    <p class="dim num">{[w('made', { t: when(r.made) }), ...(r.ended ? [w(r.outcome === 'done' ? 'done' : 'refused', { t: when(r.ended) })] : [r.taken ? w('taken', { t: when(r.taken) }) : w('reply', { d: dm(r.reply) }), w('due', { d: dm(r.due) }), ...(r.longer ? [w('longer')] : [])])].join(' · ')}</p>
    {r.answer && <p class="tx">{r.answer}</p>}
    {!doing && r.can.answer && <div class="dlf" style="justify-content:flex-start;flex-wrap:wrap">
      {r.can.take && <button type="button" class="go come" data-act="take" onClick={() => void act('take')}>{w('take')}</button>}
      <button type="button" class="plain" data-act="yes" onClick={() => setDoing('yes')}>{w(r.kind === 'delete' ? 'erase' : 'yes')}</button>
      <button type="button" class="plain" data-act="no" onClick={() => setDoing('no')}>{w('no')}</button>
      {r.can.longer && <button type="button" class="plain" data-act="more" onClick={() => setDoing('more')}>{w('more')}</button>}</div>}
    {doing && <form onSubmit={send}>
      {doing === 'yes' && r.kind === 'delete' && <p class="err"><Sign n="sos" />{w('sure')}</p>}
      <label class="field" for={id}>{w(must ? 'textMust' : 'text')}</label><textarea id={id} rows={2} maxLength={2000} value={text} onInput={(e) => setText(e.currentTarget.value)} onKeyDown={(e) => { if (e.key === 'Escape') setDoing('') }} />
      <div class="dlf"><button type="submit" class="go come" data-act="send">{w('send')}</button><button type="button" class="plain" onClick={() => setDoing('')}>{w('cancel')}</button></div></form>}
  </li>
}

// See resident/rest.ts.
import './main'
