// The resident's phone.
import { computed, effect } from '@preact/signals'
import { render } from 'preact'
import '../lib/tokens.css'
import '../lib/ui.css'
import './fonts.css'
import './resident.css'
import * as gong from '../lib/gongsound'
import { chosen as chosenLang, speak } from '../lib/i18n'
import { connection, group, incidents, language, me, start } from '../lib/live'
import { restore } from '../lib/look'
import { onAccepted, queue } from '../lib/outbox'
import { shake, shakes, stayAwake } from '../lib/touch'
import type { Incident } from '../lib/types'
import { HomeScreen, Nowhere } from './home'
import { Incoming } from './incoming'
import { alarms, byMe, chosen, current, danger, loudest, minimised, open, past, queuedRaise, raisedHere, rest, silentSent, t, tab, talk, toast, whose } from './model'
import { AskSheet } from './parts'
import { Queued, Sent } from './sent'

const Group = rest.part((m) => m.Group), More = rest.part((m) => m.More), Past = rest.part((m) => m.Past), Behalf = rest.part((m) => m.Behalf), CloseSheet = rest.part((m) => m.CloseSheet), CallSheet = rest.part((m) => m.CallSheet), Chat = rest.part((m) => m.Chat), Toast = rest.part((m) => m.Toast)

function App() {
  return <><Screen /><Over />{toast.value > 0 && <Toast />}<p class="vh" role="status" aria-live="assertive" id="say">{news()}</p></>
}

function Screen() {
  const i = current.value, d = queuedRaise.value, old = past.value && incidents.value.find((x) => x.id === past.value)
  if (!me.value || !group.value) return tab.value === 'more' ? <More /> : <Nowhere />
  if (d && !(i && byMe(i))) return <Queued d={d} key={d.id} />
  if (talk.value !== null && (!i || i.id === talk.value)) return <Chat key={talk.value} />
  if (i) return byMe(i) ? <Sent i={i} key={i.id} /> : <Incoming i={i} key={i.id} />
  if (old) return <Past i={old} key={old.id} />
  return tab.value === 'group' ? <Group /> : tab.value === 'more' ? <More /> : <HomeScreen />
}

function Over() {
  const o = open.value
  if (!o) return null
  if (o.what === 'ask') return <AskSheet />
  if (o.what === 'call') return <CallSheet incident={o.incident} />
  const fresh = incidents.value.find((x) => x.id === o.incident.id) ?? o.incident
  return o.what === 'behalf' ? <Behalf i={fresh} /> : <CloseSheet i={fresh} />
}

// news is what a screen reader hears of an alarm that is not on the screen.
function news(): string {
  const hidden = alarms.value.find((a) => a.id !== current.value?.id)
  return hidden ? t('newAlarm', { what: danger(hidden.category), where: whose(hidden.origins[0]?.home ?? '') }) : ''
}

// onIncident: a new alarm comes to the front; one that ends here is told how it ended.
const seen = new Set<string>()
function onIncident(i: Incident, before: Incident | undefined) {
  if (i.silent) return
  if (!i.closed && i.mode === 'live' && (!before || i.origins.length > before.origins.length)) { chosen.value = null; const s = new Set(minimised.value); if (s.delete(i.id)) minimised.value = s }
  if (!i.closed) seen.add(i.id)
  else if (seen.delete(i.id) && i.mode !== 'test' && i.closed.cause !== 'duplicate') past.value = i.id
}

effect(() => {
  const i = loudest.value
  sound(i ? (i.mode === 'live' ? 'alarm' : 'drill') : null)
})

// sound rings in one tab only: the one that may sound and asked first. The others wait for its turn to end.
let wanted: gong.Code | null = null, asked = false, letGo: (() => void) | null = null
function sound(code: gong.Code | null) {
  wanted = code
  if (!code) { gong.stop(); letGo?.(); letGo = null } else if (letGo || !gong.audible.value || !navigator.locks) gong.ring(code)
  else if (!asked) {
    asked = true
    void navigator.locks.request('keng-sound', () => new Promise<void>((ok) => { asked = false; if (wanted) { letGo = ok; gong.ring(wanted) } else ok() }))
  }
}
effect(() => {
  const i = loudest.value, pattern = i && (i.mode === 'live' ? shakes.alarm : shakes.drill)
  if (!pattern) return
  shake(pattern)
  const id = setInterval(() => shake(pattern), i.mode === 'live' ? 1900 : 4000)
  return () => { clearInterval(id); shake(0) }
})
// Every screen begins at its top.
const screen = computed(() => current.value?.id ?? queuedRaise.value?.id ?? past.value ?? talk.value ?? tab.value)
effect(() => { void screen.value; scrollTo(0, 0) })
effect(() => stayAwake(alarms.value.length > 0))
effect(() => {
  const i = alarms.value[0]
  document.title = i ? `(${alarms.value.length}) ${danger(i.category)} – Kẻng` : 'Kẻng'
})
effect(() => { if (me.value?.role === 'desk' && !me.value.home) location.replace('/console') })

onAccepted((d, answer) => {
  if (!d.alarm) return
  const id = (answer as Incident | undefined)?.id
  if (d.quiet) { silentSent.value = true; shake(shakes.done) } else if (id) raisedHere.value = new Set(raisedHere.value).add(id)
})

function onCalm() {
  toast.value = Date.now()
  gong.ring('all_calm')
}

restore()
for (const e of ['pointerdown', 'pointerup', 'keydown']) addEventListener(e, () => void gong.unlock(), { passive: true })
void begin()

// begin draws as soon as there is something to draw: from the page at once, from the phone's storage a moment later, without either after 400 ms.
async function begin() {
  const started = start({ keep: true, onIncident, onCalm, onSignedOut: () => { if (!queue.value.length) location.replace('/welcome') } })
  let talk: Promise<void> | undefined
  const english = () => { if ((chosenLang() ?? language.value) === 'en') talk ??= speak('en'); return talk } // the kept state may know it a moment later
  void english()
  await Promise.race([started.then(english), new Promise((ok) => setTimeout(ok, 400))])
  render(<App />, document.getElementById('app')!)
  whenIdle(() => void rest.ahead().then((m) => m?.keepFresh(() => alarms.value.length === 0 && queue.value.length === 0 && !open.value && connection.value === 'live')))
}

function whenIdle(f: () => void) { if ('requestIdleCallback' in window) requestIdleCallback(f, { timeout: 5000 }); else setTimeout(f, 2000) }
