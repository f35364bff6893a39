// The main screen: one gong, who will hear it, whom to call, and how the street stands.
import { t as common } from '../lib/i18n'
import { group, me } from '../lib/live'
import { audible, once, unlock } from '../lib/gongsound'
import { HoldButton } from '../lib/hold'
import { sentence } from '../lib/reason'
import { shake, shakes } from '../lib/touch'
import type { Home } from '../lib/types'
import { Icon, Lane, ready } from '../lib/ui'
import { bellTest, home, numberFor, open, others, pinned, queuedSilent, raise, rest, t, unit } from './model'
import { ActiveBar, Banners, CallLink, Tabs, Top } from './parts'

const BellTest = rest.part((m) => m.BellTest), Found = rest.part((m) => m.Found), Pinned = rest.part((m) => m.Pinned)

export function HomeScreen() {
  const g = group.value
  if (!g) return <Nowhere />
  return <><Top /><main class="home"><Banners /><ActiveBar />{bellTest.value && <BellTest i={bellTest.value} />}
    <Gong />
    <div class="two"><CallLink number={numberFor('fire_rescue', '114')} /><button type="button" class="out" data-testid="address" onClick={() => { open.value = { what: 'call' } }}><Icon n="pin" /><span>{t('address')}</span></button></div>
    {!audible.value && <button type="button" class="belloff" data-testid="bell-off" onClick={() => void unlock().then(() => once('all_calm'))}><Icon n="mute" size={24} /><span><b>{t('bellOff')}</b>{t('bellOffSub')}</span><Icon n="chev" /></button>}
    {pinned.value > 0 && <Pinned />}<StreetCard />
  </main><Tabs /></>
}

function Gong() {
  const reach = others.value.filter((h) => h.state !== 'red').length, all = others.value.length
  return <div class="gongbox"><HoldButton id="gong" describedBy="gonghint" onTouch={() => void unlock()} onHeld={() => { shake(shakes.done); raise() }} onTap={() => { open.value = { what: 'ask' } }}>
    <svg class="bar" viewBox="0 0 96 84" aria-hidden="true"><path d="M48 2v16" /><circle cx="48" cy="46" r="28" /><circle cx="48" cy="46" r="8.500" /><path class="w" d="M9 32a38 38 0 0 0 0 28M87 32a38 38 0 0 1 0 28" /></svg>
    <b class="idle">{t('hold')}</b><b class="on">{t('holding')}</b><small class="idle">{t('holdSub')}</small><small class="on">{t('release')}</small>
  </HoldButton><p class="hint" id="gonghint">{reach === all ? t('hearAll', { n: all, unit: unit() }) : t('hearSome', { n: reach, m: all, unit: unit() })}{queuedSilent.value && <i class="mark" data-state={queuedSilent.value} aria-hidden="true" />}</p></div>
}

function StreetCard() {
  const g = group.value!, weak = g.homes.filter((h) => h.state !== 'green')
  return <section class="card" aria-labelledby="street"><div class="row"><h2 id="street">{t('homes', { n: g.homes.length })}</h2><span class="cnt num">{t('readyOf', { n: g.homes.length - weak.length, m: g.homes.length })}</span></div>
    <Lane seats={g.homes.map((h) => ready(h, me.value!.home))} label={t('homes', { n: g.homes.length })} />
    {weak.length ? <ul class="list">{alike(weak).map(([why, homes]) => <li key={why} class={homes[0].state}><b>{homes.length > 2 ? t('manyHomes', { n: homes.length }) : homes.map((h) => (h.id === home.value?.id ? t('yourHome') : h.name)).join(', ')}</b><span><Icon n={homes[0].state === 'red' ? 'x' : 'sos'} />{why}</span></li>)}</ul>
      : <p class="allok"><Icon n="check" />{t('allReady')}</p>}
  </section>
}

// alike puts homes with the same sentence together, those that hear nothing first: seven times the same is read by nobody.
function alike(weak: Home[]): [string, Home[]][] {
  const by = new Map<string, Home[]>()
  for (const h of [...weak].sort((a, b) => +(b.state === 'red') - +(a.state === 'red'))) { const why = sentence(h.reason, h.state); by.set(why, [...(by.get(why) ?? []), h]) }
  return [...by]
}

// Nowhere: nothing is known yet, or this person belongs to no home. The emergency number works all the same.
export function Nowhere() {
  const n = numberFor('fire_rescue', '114')
  return <><header class="top"><div class="who"><h1>Kẻng</h1></div></header><main class="home"><Banners />
    <div class="card"><h2>{me.value ? t('noHome') : t('noState')}</h2><p>{me.value ? `${me.value.name}, ${common(me.value.role)}` : t('noStateSub')}</p></div>{me.value && <Found />}
    <a class="btn big alarm" href={'tel:' + n}><Icon n="phone" />{t('call114', { n })}</a></main>{me.value && <Tabs />}</>
}
