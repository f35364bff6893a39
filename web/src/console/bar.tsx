// The top bar: whose desk, what works, whether it can be heard, what time it is.
import { connection, demo, lostAt, me, numbers } from '../lib/live'
import { choose as speak, lang, t } from '../lib/i18n'
import { hms } from '../lib/time'
import type { Role } from '../lib/types'
import { forget, refusals, signedOut } from '../lib/outbox'
import { why } from '../lib/ui'
import { Clock } from './bits'
import { ask } from './desk'
import { Chips } from './health'
import { Sign } from './icons'
import * as noise from './noise'
import { say } from './say'
import { theme, toggle } from './theme'

function Sound() {
  const s = noise.state.value, deaf = connection.value === 'lost'
  const word = deaf ? say('link.lost.short') : s === 'off' ? say('sound.off.word') : s === 'blocked' ? say('sound.blocked.word') : ''
  return <button type="button" id="sound" class={'ib snd ' + (deaf ? 'deaf' : s)} data-sound={deaf ? 'deaf' : s} aria-pressed={noise.on.value} title={deaf ? say('sound.deaf') : say('sound.' + s)} aria-label={[word, deaf ? say('sound.deaf') : say('sound.' + s)].filter(Boolean).join('. ')} onClick={() => { if (s !== 'blocked') noise.on.value = !noise.on.value }}>
    <Sign n={s === 'on' && !deaf ? 'sound' : 'mute'} size={20} />{word && <span aria-hidden="true">{word}</span>}
  </button>
}

// roleWord is what an officer is called; neighbours' words are shared with the phone.
const roleWord = (r: Role) => (r === 'chief' || r === 'steering' || r === 'viewer' ? say('role.' + r) : t(r as Parameters<typeof t>[0]))

export function Bar() {
  const m = me.value
  return <header class="bar">
    <a class="skip" href="#incs">{say('app.skip')}</a>
    <div class="logo" aria-hidden="true"><Sign n="gong" size={22} /></div>
    <div class="unit"><h1>Kẻng<span class="vh">, {say('app.h1')}</span></h1><span>{say('app.desk', { unit: (m?.unit_name ?? '').replace(/^(Phường|Xã|Đặc khu)/, (x) => x.toLocaleLowerCase()) })}</span></div>
    <Chips />
    <div class="me"><span>{m ? roleWord(m.role) : ''}</span><b>{m?.name}</b></div>
    <div class="tools">
      <Sound />
      <button type="button" class="ib" aria-label={say(theme.value === 'night' ? 'theme.toDay' : 'theme.toNight')} title={say(theme.value === 'night' ? 'theme.toDay' : 'theme.toNight')} onClick={toggle}><Sign n={theme.value === 'night' ? 'sun' : 'moon'} size={20} /></button>
      <button type="button" class="ib ln" lang={lang.value === 'vi' ? 'en' : 'vi'} title={say('lang.other')} onClick={() => void speak(lang.value === 'vi' ? 'en' : 'vi')}>{lang.value === 'vi' ? 'EN' : 'VI'}<span class="vh">, {say('lang.other')}</span></button>
      <button type="button" class="ib" id="keys" aria-label={say('nav.keys')} title={say('nav.keys')} onClick={() => ask({ what: 'keys' })}><Sign n="keys" size={20} /></button>
      <button type="button" class="ib" id="account" aria-label={say('nav.account')} title={say('nav.account')} onClick={() => ask({ what: 'account' })}><Sign n="shield" size={20} /></button>
    </div>
    <Clock />
  </header>
}

// Banners stand between the bar and the desk, so that they push and never cover.
export function Banners() {
  const emergency = numbers.value[0]?.number ?? ''
  return <div class="banners" role="region" aria-label={say('app.news')}>
    {connection.value === 'lost' && <p class="off" role="alert"><Sign n="wifi" /><span>{say('link.lost', { t: hms(lostAt.value), phone: emergency })}</span></p>}
    {signedOut.value && <p class="off" role="alert"><Sign n="shield" /><span>{t('signedOut')}</span><a class="lk" href="/welcome">{say('app.signin')}</a></p>}
    {noise.state.value === 'blocked' && <p class="hint" id="blocked"><Sign n="mute" /><span>{say('sound.blocked')}</span></p>}
    {refusals.value.map((r) => <p key={r.id} class="off err" role="alert" data-act={r.deed.path.split('/').at(-1)}><Sign n="sos" /><span>{say('act.failed', { act: r.deed.told ?? '', why: why(r) })}</span><button type="button" class="lk" onClick={() => forget(r.id)}>{t('dismiss')}</button></p>)}
    {demo.value && <p class="demo">{say('app.demo')}</p>}
  </div>
}
