// The duty log on paper: drawn only when somebody prints.
import { render } from 'preact'
import { incidents, me, now } from '../lib/live'
import { t } from '../lib/i18n'
import { dm, hm, hms, ms } from '../lib/time'
import type { Incident } from '../lib/types'
import { groupOf } from './desk'
import { cause, sentence } from './events'
import { past } from './handover'
import { kind, official, originOf, where } from './place'
import { secondsTo } from './roll'
import { say, span } from './say'

const at = (x: string) => `${hms(x)} ${dm(x)}`

function Row({ i }: { i: Incident }) {
  const notes = i.timeline.filter((e) => e.key === 'event.noted').map((e) => `${hm(e.at)} ${sentence(e, i)}`)
  const answered = i.homes.filter((h) => h.answer), slowest = Math.max(0, ...answered.map((h) => secondsTo(i, h)))
  return <tr>
    <td class="num">{i.code}<br />{at(i.opened_at)}</td>
    <td>{kind(i)}{i.mode === 'live' ? '' : `, ${t(i.mode).toLocaleLowerCase()}`}{i.silent && <><br />{say('row.silent')}</>}</td>
    <td>{where(i)}<br />{official(originOf(i), groupOf(i.group))}</td>
    <td class="num">{i.acknowledged ? <>{i.acknowledged.by}<br />{hms(i.acknowledged.at)} ({span((ms(i.acknowledged.at) - ms(i.opened_at)) / 1000)})</> : say('row.unack')}</td>
    <td class="num">{i.silent ? '' : <>{say('r.count', { n: answered.length, m: i.homes.length })}{slowest > 0 && <><br />{say('pr.slowest', { s: span(slowest) })}</>}</>}</td>
    <td class="num">{i.closed ? <>{cause(i.closed.cause)}<br />{i.closed.by}, {hms(i.closed.at)}</> : say('pr.stillopen')}</td>
    <td>{[i.closed?.note, ...notes].filter(Boolean).join('; ')}</td>
  </tr>
}

function Paper() {
  const list = [...incidents.value].sort((a, b) => ms(a.opened_at) - ms(b.opened_at)), h = Array.isArray(past.value) ? past.value.slice(0, 6) : []
  const stamp = new Date(now.value).toISOString()
  return <article class="paper">
    <header><h1>{say('pr.title')}</h1><p>{say('pr.unit')}: <b>{me.value?.unit_name}</b> · {say('pr.by')}: <b>{me.value?.name}</b> · {say('pr.printed')} {at(stamp)}</p></header>
    <h2>{say('pr.incidents')}</h2>
    {list.length ? <table><thead><tr>{['pr.code', 'pr.kind', 'pr.where', 'pr.ack', 'pr.answers', 'pr.end', 'pr.note'].map((k) => <th key={k} scope="col">{say(k)}</th>)}</tr></thead><tbody>{list.map((i) => <Row key={i.id} i={i} />)}</tbody></table> : <p>{say('pr.none')}</p>}
    {h.length > 0 && <><h2>{say('pr.handovers')}</h2><ol>{h.map((x) => <li key={x.id}><b>{at(x.at)}, {x.by}</b><p class="tx">{x.text}</p></li>)}</ol></>}
    <footer><p>{say('pr.give')}<br /><i>{say('pr.sign')}</i></p><p>{say('pr.take')}<br /><i>{say('pr.sign')}</i></p></footer>
    <p class="fine">{say('pr.lone')}</p>
  </article>
}

export function start() {
  const root = document.createElement('div')
  root.id = 'paper'
  document.body.append(root)
  addEventListener('beforeprint', () => render(<Paper />, root))
  addEventListener('afterprint', () => render(null, root))
}
