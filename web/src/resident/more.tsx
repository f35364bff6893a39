// This phone: text, language, colours, its bell, and leaving.
import { signal } from '@preact/signals'
import { useState } from 'preact/hooks'
import { call } from '../lib/api'
import { wipe } from '../lib/db'
import { forgetShell } from '../lib/fresh'
import { audible, once, unlock, type Code } from '../lib/gongsound'
import { choose, lang, t as common } from '../lib/i18n'
import { connection, demo, me } from '../lib/live'
import { large, setLarge, setTheme, theme, type Theme } from '../lib/look'
import { queue } from '../lib/outbox'
import type { Lang } from '../lib/types'
import { Icon, Sheet } from '../lib/ui'
import { later } from '../lib/lazy'
import { l } from './later'
import { home } from './model'
import { leave } from '../lib/push'
import { Ring } from './ring'
import { ActiveBar, Banners, Tabs, Top } from './parts'

interface InstallEvent extends Event { prompt(): Promise<void> }
const offer = signal<InstallEvent | null>(null)
addEventListener('beforeinstallprompt', (e) => { e.preventDefault(); offer.value = e as InstallEvent })

const mine = later(() => import('./mine')), Mine = mine.part((m) => m.Mine)
const myDoor = later(() => import('./door')), MyDoor = myDoor.part((m) => m.MyDoor)

export function More() {
  const [at, go] = useState<'' | 'mine' | 'door'>('')
  if (at === 'mine') return <Mine onBack={() => go('')} />
  if (at === 'door') return <MyDoor onBack={() => go('')} />
  return <Settings onMine={() => go('mine')} onDoor={() => go('door')} />
}

function Settings({ onMine, onDoor }: { onMine: () => void; onDoor: () => void }) {
  const [leaving, setLeaving] = useState(false)
  return <><Top /><main class="page"><Banners /><ActiveBar /><Ring />
    <section class="card" aria-labelledby="sd"><h2 id="sd">{l('sound')}</h2><p>{l('soundSub')}</p>
      <div class="stack">{([['alarm', 'soundAlarm'], ['drill', 'soundDrill'], ['all_calm', 'soundCalm']] as [Code, string][]).map(([c, k]) => <button key={c} type="button" class="out" data-testid={'try-' + c} onClick={() => void unlock().then(() => once(c))}><Icon n="sound" />{l(k)}</button>)}</div>
      <p class={'state ' + (audible.value ? 'y' : 'n')} role="status" data-testid="sound-state"><Icon n={audible.value ? 'check' : 'mute'} />{audible.value ? l('soundOK') : l('soundNo')}</p></section>
    <section class="card" aria-labelledby="st"><h2 id="st">{l('settings')}</h2>
      <label class="switchrow"><span>{l('largeText')}</span><input type="checkbox" role="switch" checked={large.value} data-testid="large" onChange={(e) => setLarge(e.currentTarget.checked)} /></label>
      <Choice label={l('language')} name="lang" value={lang.value} options={[['vi', 'Tiếng Việt'], ['en', 'English']]} onPick={(v) => void speakTo(v as Lang)} />
      <Choice label={l('theme')} name="theme" value={theme.value} options={[['auto', l('auto')], ['day', l('day')], ['night', l('night')]]} onPick={(v) => setTheme(v as Theme)} /></section>
    <section class="card" aria-labelledby="ms"><h2 id="ms">{l('mine')}</h2><p>{l('mineSub')}</p>
      <button type="button" class="big calm" data-testid="mine-open" onClick={onMine}><Icon n="shield" />{l('mineOpen')}</button></section>
    <Install />
    <section class="card" aria-labelledby="wh"><h2 id="wh">{l('who')}</h2><p><b>{me.value?.name}</b><br />{me.value && common(me.value.role)}{home.value && `, ${home.value.name}`}</p>
      <div class="stack"><button type="button" class="big plain" data-testid="door-open" onClick={onDoor}><Icon n="people" /><span>{l('door')}<small>{l('doorSub')}</small></span></button>
      <button type="button" class="big plain" data-testid="sign-out" onClick={() => setLeaving(true)}>{l('signOut')}</button></div></section>
    <p class="sub small">{demo.value && <b>{l('demo')} </b>}{l('notPanel')}</p>
    {leaving && <Leave onStay={() => setLeaving(false)} />}
  </main><Tabs /></>
}

async function speakTo(v: Lang) {
  await choose(v)
  void call('POST', '/api/v1/lang', { lang: v }).catch(() => undefined) // only for the server's own sentences; the cookie says the same
}

function Choice({ label, name, value, options, onPick }: { label: string; name: string; value: string; options: [string, string][]; onPick: (v: string) => void }) {
  return <fieldset class="seg"><legend>{label}</legend><div>{options.map(([v, text]) => <label key={v}><input type="radio" name={name} value={v} checked={v === value} onChange={() => onPick(v)} /><span lang={name === 'lang' ? v : undefined}>{text}</span></label>)}</div></fieldset>
}

function Install() {
  const alone = matchMedia('(display-mode:standalone)').matches, ios = /iphone|ipad|ipod/i.test(navigator.userAgent)
  return <section class="card" aria-labelledby="in"><h2 id="in">{l('install')}</h2>
    {alone ? <p>{l('installed')}</p> : offer.value ? <button type="button" class="big calm" data-testid="install" onClick={() => void offer.value!.prompt().then(() => { offer.value = null })}>{l('installYes')}</button> : <p>{l(ios ? 'installIos' : 'installMenu')}</p>}</section>
}

// Leave: the server ends the session first; what this phone knows goes with it.
function Leave({ onStay }: { onStay: () => void }) {
  const [failed, setFailed] = useState(false), n = queue.value.filter((d) => !d.quiet).length
  const go = async () => {
    await leave()
    try { await call('POST', '/api/v1/sign-out', {}) } catch { setFailed(true); return }
    await Promise.all([wipe('kept'), wipe('outbox'), forgetShell()])
    location.replace('/welcome')
  }
  return <Sheet id="leave" label={l('signOutTitle')} onClose={onStay}><h2>{l('signOutTitle')}</h2><p>{l('signOutBody')}</p>{n > 0 && <p class="bnr"><Icon n="clock" /><span>{l('signOutQueue', { n })}</span></p>}{failed && <p class="bnr bad" role="alert"><Icon n="wifi" /><span>{l('signOutFail')}</span></p>}
    <button type="button" class="big alarm" data-testid="sign-out-yes" disabled={connection.value === 'lost'} onClick={() => void go()}>{l('signOut')}</button><button type="button" class="big plain" onClick={onStay}>{common('cancel')}</button></Sheet>
}
