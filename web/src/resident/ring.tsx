// Whether this phone rings while it sleeps, said in seconds; what to do when it would not; and what else may reach it.
import { useEffect, useState } from 'preact/hooks'
import { call } from '../lib/api'
import { lang, t as common } from '../lib/i18n'
import { admit, brand, enrol, probe, reach, thisPhone, trouble, type Trouble } from '../lib/push'
import type { Reach, ReachPhone, Wish } from '../lib/types'
import { Icon } from '../lib/ui'
import { l } from './later'

type Now = 'off' | 'asking' | 'on' | 'deaf' | Trouble

const seconds = (n: number) => { const s = Math.max(n, 0.1); return lang.value === 'vi' ? s.toFixed(1).replace('.', ',') : s.toFixed(1) }

function nowOf(p: ReachPhone | undefined): Now {
  const why = trouble()
  return why || (!p || p.state === 'new' ? 'off' : p.state === 'deaf' ? 'deaf' : 'on')
}

export function Ring() {
  const [r, setR] = useState<Reach | null>(null), [now, setNow] = useState<Now>('off'), [phone, setPhone] = useState<ReachPhone>(), [failed, setFailed] = useState(false)
  useEffect(() => void reach().then((x) => { const p = thisPhone(x), n = nowOf(p); setR(x); setPhone(p); setNow(n); if (n !== 'off' && n !== 'on' && n !== 'deaf' && n !== 'asking') void admit(n) }, () => undefined), [])
  if (!r?.key) return null
  const ring = async () => {
    setFailed(false); setNow('asking')
    try {
      const p = await enrol(r.key, lang.value)
      if (typeof p === 'string') { setNow(p); void admit(p); return }
      const done = await probe(p.id)
      setPhone(done); setNow(nowOf(done))
    } catch { setFailed(true); setNow(nowOf(phone)) }
  }
  const bad = now === 'deaf' || now === 'denied' || now === 'unsupported' || now === 'ios_browser' || now === 'no_service'
  const can = now === 'off' || now === 'on' || now === 'deaf' || now === 'no_service'
  return <section class="card" aria-labelledby="rg" data-testid="ring" data-state={now}><h2 id="rg">{l('ring')}</h2>
    {now === 'off' && <p>{l('ringSub')}</p>}
    {now === 'on' && phone?.seconds != null && <p class="state y" role="status" data-testid="ring-seconds"><Icon n="check" />{l('ringSeconds', { n: seconds(phone.seconds) })}</p>}
    {now === 'asking' && <p class="state" role="status"><Icon n="clock" />{l('ringAsking')}</p>}
    {bad && <><p class="state n" role="alert"><Icon n="mute" />{l('ring_' + now)}</p><p>{l('ringDo_' + now)} {now === 'deaf' && l('ringBrand_' + brand())}</p></>}
    {failed && <p class="bnr bad" role="alert"><Icon n="wifi" /><span>{l('ringFail')}</span></p>}
    {can && <button type="button" class={'big ' + (now === 'on' ? 'plain' : 'calm')} data-testid="ring-on" onClick={() => void ring()}><Icon n="sound" />{l(now === 'off' ? 'ringOn' : 'ringAgain')}</button>}
    <Wishes w={r.wish} />
  </section>
}

// Wishes are for what is no alarm. An alarm rings in quiet hours all the same.
const night = { quiet_from: 22 * 60, quiet_to: 6 * 60 }, awake = { quiet_from: -1, quiet_to: -1 }
function Wishes({ w: before }: { w: Wish }) {
  const [w, setW] = useState(before), [failed, setFailed] = useState(false)
  const wish = (x: Wish) => { const was = w; setW(x); setFailed(false); void call('POST', '/api/v1/reach/wishes', x).catch(() => { setW(was); setFailed(true) }) }
  const row = (id: string, label: string, on: boolean, to: (on: boolean) => Wish) => <label class="switchrow" style="margin-top:8px"><span>{label}</span><input type="checkbox" role="switch" checked={on} data-testid={'wish-' + id} onChange={(e) => wish(to(e.currentTarget.checked))} /></label>
  return <>{row('chat', l('wishChat'), w.chat, (chat) => ({ ...w, chat }))}{row('notices', l('wishNotices'), w.notices, (notices) => ({ ...w, notices }))}
    {row('quiet', l('wishQuiet'), w.quiet_from >= 0, (on) => ({ ...w, ...(on ? night : awake) }))}<p class="sub small">{l('wishAlarm')}</p>{failed && <p class="bnr bad" role="alert"><Icon n="wifi" /><span>{common('offline')}</span></p>}</>
}
