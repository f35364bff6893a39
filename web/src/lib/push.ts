// Whether this phone rings while Kẻng is closed: permission, subscription, and a test push that is measured.
import { call, get } from './api'
import { write } from './db'
import type { Reach, ReachPhone } from './types'

// Why this phone cannot be called, as far as it can tell itself.
export type Trouble = 'denied' | 'unsupported' | 'ios_browser' | 'no_service'

const apple = () => /iphone|ipad|ipod/i.test(navigator.userAgent)
const alone = () => matchMedia('(display-mode:standalone)').matches

export function trouble(): Trouble | '' {
  if (!('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window)) return apple() && !alone() ? 'ios_browser' : 'unsupported'
  return Notification.permission === 'denied' ? 'denied' : ''
}

// brand is who made this phone: each has its own way to put an app to sleep.
export function brand(): string {
  const ua = navigator.userAgent
  for (const [name, like] of [['apple', /iphone|ipad|ipod/i], ['samsung', /samsung|\bsm-/i], ['xiaomi', /xiaomi|redmi|poco|\bmi \d|\bm2\d{3}|\b2\d{3,}[a-z0-9]+ build/i], ['oppo', /oppo|realme|oneplus|\bcph\d|\brmx\d/i], ['vivo', /vivo|\bv2\d{3}/i], ['huawei', /huawei|honor/i]] as [string, RegExp][]) if (like.test(ua)) return name
  return /android/i.test(ua) ? 'android' : 'computer'
}

const kept = 'keng_phone' // id of this browser's subscription at the server
export const phoneID = () => { try { return localStorage.getItem(kept) ?? '' } catch { return '' } }
function remember(id: string) { try { if (id) localStorage.setItem(kept, id); else localStorage.removeItem(kept) } catch { /* it is enrolled again next time */ } }

const worker = async () => Promise.race([navigator.serviceWorker.ready, new Promise<undefined>((ok) => setTimeout(ok, 10_000))])

export const reach = () => get<Reach>('/api/v1/reach')
export const thisPhone = (r: Reach): ReachPhone | undefined => r.phones.find((p) => p.id === phoneID())

// enrol subscribes this browser and answers with the phone as the server knows it, or why it cannot be.
export async function enrol(key: string, lang: string): Promise<ReachPhone | Trouble> {
  const why = trouble()
  if (why) return why
  if ((await Notification.requestPermission()) !== 'granted') return 'denied'
  let s: PushSubscription | undefined
  try {
    const reg = await worker()
    s = (await reg?.pushManager.getSubscription()) ?? undefined
    s ??= await reg?.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })
  } catch { /* no push service, or one that is blocked */ }
  const j = s?.toJSON()
  if (!j?.endpoint) return 'no_service'
  void write('kept', key, 'pushkey')
  const p = await call<ReachPhone>('POST', '/api/v1/reach/phones', { endpoint: j.endpoint, p256dh: j.keys?.p256dh, auth: j.keys?.auth, lang, label: brand() })
  remember(p.id)
  return p
}

// probe sends a test push and waits until the server knows whether it came.
export async function probe(id: string): Promise<ReachPhone | undefined> {
  let p: ReachPhone | undefined = await call<ReachPhone>('POST', `/api/v1/reach/phones/${id}/probe`)
  for (const end = Date.now() + 35_000; p?.state === 'asking' && Date.now() < end;) {
    await new Promise((ok) => setTimeout(ok, 500))
    p = (await reach().catch(() => undefined))?.phones.find((x) => x.id === id) ?? p
  }
  return p
}

// leave ends this browser's subscription: whoever signs out is called here no more.
export async function leave() {
  const id = phoneID()
  remember('')
  if (id) await call('POST', `/api/v1/reach/phones/${id}/drop`).catch(() => undefined)
  if ('serviceWorker' in navigator) await (await (await navigator.serviceWorker.getRegistration())?.pushManager?.getSubscription())?.unsubscribe().catch(() => false)
}

export const admit = (t: Trouble | '') => call('POST', '/api/v1/reach/trouble', { trouble: t }).catch(() => undefined)
