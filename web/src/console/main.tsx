// The duty desk: one officer, one keyboard, every alarm of the unit.
import { options, render } from 'preact'
import '../lib/fonts.css'
import '../lib/tokens.css'
import '../lib/ui.css'
import './console.css'
import { chosen, speak } from '../lib/i18n'
import { later } from '../lib/lazy'
import { start } from '../lib/live'
import { acknowledge, attend, can, control, silence } from './acts'
import * as announce from './announce'
import { Banners, Bar } from './bar'
import { ask, asking, current, keepPicked, pane, step, tab, type Pane } from './desk'
import { Detail, talk } from './detail'
import { Dialogs } from './dialogs'
import { Groups } from './groups'
import { HandoverPane } from './handover'
import { Sign } from './icons'
import { letters, listen } from './keys'
import { List } from './list'
import { MapPane, focus as focusMap } from './map'
import * as noise from './noise'
import * as paper from './paper'
import { RollCall } from './roll'
import { say } from './say'
import * as theme from './theme'

const PANES: [Pane, string, string][] = [['map', 'map', 'M'], ['groups', 'find', '/'], ['notices', 'sound', 'T'], ['handover', 'book', 'H'], ['rights', 'disk', 'Q'], ['roles', 'shield', 'V']]

const Notices = talk.part((m) => m.Notices)
const Rights = later(() => import('./rights')).part((m) => m.Rights)
const Roles = later(() => import('./roles')).part((m) => m.Roles)

function Panes() {
  return <nav class="panes" aria-label={say('nav.panes')}>{PANES.map(([p, icon, k]) => <button key={p} type="button" data-pane={p} aria-pressed={pane.value === p} onClick={() => (pane.value = p)}><Sign n={icon} size={17} /><span>{say('nav.' + p)}</span>{letters.value && <kbd aria-hidden="true">{k}</kbd>}</button>)}</nav>
}

function Desk() {
  const p = pane.value
  return <>
    <Bar /><Banners />
    <div class="cols">
      <List />
      <main class={'mid ' + p}>
        <Panes />
        {p === 'map' ? <MapPane /> : <div class="sheet2">{p === 'groups' ? <Groups /> : p === 'notices' ? <Notices /> : p === 'rights' ? <Rights /> : p === 'roles' ? <Roles /> : <HandoverPane />}</div>}
        {p === 'map' && <RollCall />}
      </main>
      <Detail />
    </div>
    <Dialogs /><announce.Voice />
  </>
}

// with runs an act on the chosen incident; false leaves the key alone.
const with_ = (f: (i: NonNullable<typeof current.value>) => void | boolean) => () => { const i = current.value; return i ? (f(i), undefined) : false as const }

// coming: the pane with a field to type in was asked for and is not drawn yet.
const coming = () => (pane.value === 'groups' && !document.getElementById('gq')) || (pane.value === 'handover' && !document.querySelector('.hand'))

function keys() {
  const back = () => { if (asking.value || pane.value === 'map') return false as const; pane.value = 'map' }
  listen({
    j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1),
    a: with_(acknowledge), s: with_(silence), d: with_(attend), c: with_(control),
    r: with_((i) => { if (can(i, 'close')) ask({ what: 'close', id: i.id }) }),
    n: () => document.getElementById('note')?.focus(),
    h: () => { pane.value = 'handover' }, q: () => { pane.value = 'rights' }, v: () => { pane.value = 'roles' }, t: () => { pane.value = 'notices' }, m: focusMap, '/': () => { pane.value = 'groups'; requestAnimationFrame(() => document.getElementById('gq')?.focus()) },
    '?': () => ask({ what: 'keys' }), Escape: back,
  }, () => asking.value !== null || coming())
}

// A storm of alarms is drawn once per frame, not once per alarm; a single change, such as a key, at once.
const FRAME = 16 // ms
let drawn = 0
options.debounceRendering = (draw) => {
  const go = () => { draw(); drawn = performance.now() }
  if (performance.now() - drawn > 3 * FRAME) queueMicrotask(go)
  else setTimeout(go, FRAME)
}

// A desk whose screen falls asleep is a desk that nobody looks at.
function stayAwake() {
  const ask = () => { if (!document.hidden) navigator.wakeLock?.request('screen').catch(() => undefined) }
  document.addEventListener('visibilitychange', ask)
  ask()
}

async function begin() {
  theme.apply()
  await speak(chosen() ?? 'vi')
  if (!(await start({ onSignedOut: () => location.assign('/welcome') }))) { document.getElementById('app')!.textContent = say('app.nostate'); setTimeout(() => location.reload(), 5000); return }
  tab.value = 'open'
  keepPicked(); stayAwake(); announce.start(); noise.start(); paper.start(); keys()
  render(<Desk />, document.getElementById('app')!)
}

void begin()
