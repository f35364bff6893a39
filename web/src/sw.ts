// The service worker keeps the shell of the resident's page, so that the gong is there without a server and at once on a slow network.
// What is known of the group is kept by the page itself (lib/live.ts); deeds wait in the outbox (lib/outbox.ts).
/// <reference lib="webworker" />
import { read, write } from './lib/db'

declare const self: ServiceWorkerGlobalScope
declare const SHELL: string[] // hashed files of the resident's page
declare const BUILD: string // changes with any of them

const name = 'keng-' + BUILD

self.addEventListener('install', (e) => e.waitUntil(fill()))
self.addEventListener('activate', (e) => e.waitUntil(sweep()))

// A new worker takes over only when the page says that nothing is open: never in the middle of an alarm.
// The first one takes the page that asked for it; a browser sometimes forgets that page while the worker starts.
self.addEventListener('message', (e) => e.waitUntil(e.data === 'take-over' ? self.skipWaiting() : self.clients.claim()))

self.addEventListener('fetch', (e) => {
  const u = new URL(e.request.url)
  if (e.request.method !== 'GET' || u.origin !== location.origin) return
  if (e.request.mode === 'navigate' && u.pathname === '/') e.respondWith(shell(e.request))
  else if (u.pathname.startsWith('/assets/') && !u.pathname.startsWith('/assets/map/')) e.respondWith(asset(e.request))
})

// Alarms that reach a phone while Kẻng is closed. A message says what to show; a receipt goes back by its own token, so that it works for
// somebody who is signed out. The same message may come twice, after a crash of the server: the second time makes no noise.
interface Letter {
  id: string; kind: string; title: string; body: string; lang: 'vi' | 'en'; tag: string; path: string
  incident?: string; person?: string; receipt?: string; answer?: string; actions?: { answer: string; label: string }[]
}
const said = {
  vi: { open: 'Mở Kẻng để xem.', sent: 'Đã trả lời: ', late: 'Chưa gửi được. Mở Kẻng.', gone: 'Việc này đã kết thúc. Mở Kẻng để xem.' },
  en: { open: 'Open Kẻng to see.', sent: 'Answered: ', late: 'Not sent yet. Open Kẻng.', gone: 'It is over. Open Kẻng to see.' },
}

self.addEventListener('push', (e) => e.waitUntil(heard(e.data)))
self.addEventListener('notificationclick', (e) => {
  const l: Letter = e.notification.data
  e.notification.close()
  e.waitUntil(e.action && l.answer ? answer(l, e.action) : show(l.path))
})
self.addEventListener('pushsubscriptionchange', (e) => (e as ExtendableEvent).waitUntil(renew(e as unknown as { oldSubscription?: PushSubscription; newSubscription?: PushSubscription })))

async function heard(data: PushMessageData | null) {
  let l: Letter = { id: '', kind: 'notice', title: 'Kẻng', body: said.vi.open, lang: 'vi', tag: 'keng', path: '/' }
  try { l = { ...l, ...data?.json() } } catch { /* not ours: it is shown as something to look at */ }
  const known = (await read<string[]>('kept', 'pushed')) ?? [], again = !!l.id && known.includes(l.id)
  await Promise.all([notify(l, again), l.receipt && tell('/v1/receipts', { token: l.receipt }), again || write('kept', [...known.slice(-49), l.id], 'pushed')])
  for (const c of await self.clients.matchAll({ type: 'window' })) c.postMessage({ pushed: l.kind })
}

async function notify(l: Letter, again: boolean) {
  const rings = l.kind === 'alarm' || l.kind === 'desk', quiet = again || l.kind === 'over'
  await self.registration.showNotification(l.title, {
    body: l.body, tag: l.tag, lang: l.lang, icon: '/assets/icon-192.png', data: l, silent: quiet, renotify: !quiet, requireInteraction: rings,
    ...(rings && !quiet ? { vibrate: [700, 250, 700, 250, 700, 250, 1500] } : {}),
    actions: (l.actions ?? []).map((a) => ({ action: a.answer, title: a.label })),
  } as NotificationOptions)
}

// tell answers with the status, 0 when the server could not be reached in about eight seconds.
async function tell(path: string, body: unknown, key = ''): Promise<number> {
  for (let wait = 500; ; wait *= 2) {
    const status = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) }, body: JSON.stringify(body), credentials: 'omit', cache: 'no-store', keepalive: true }).then((r) => r.status, () => 0)
    if (status && status < 500 && status !== 429) return status
    if (wait > 4000) return 0
    await new Promise((ok) => setTimeout(ok, wait))
  }
}

// answer sends what was tapped on the lock screen; without a network it waits in the outbox, under the same key.
async function answer(l: Letter, choice: string) {
  const key = `push-${l.id}-${choice}`, words = said[l.lang] ?? said.vi, label = l.actions?.find((a) => a.answer === choice)?.label ?? choice
  const status = await tell('/v1/answers', { token: l.answer, answer: choice }, key)
  if (!status) await write('outbox', { id: key, path: `/api/v1/incidents/${l.incident}/answers`, body: { answer: choice }, person: l.person, at: Date.now(), tries: 0, alarm: false, quiet: false, within: 0, told: label })
  const body = !status ? words.late : status < 300 ? words.sent + label : words.gone
  await self.registration.showNotification(l.title, { body, tag: l.tag, lang: l.lang, icon: '/assets/icon-192.png', data: { ...l, answer: '' }, silent: true })
}

// show brings Kẻng to the front; what is most urgent is what it shows.
async function show(path: string) {
  for (const c of await self.clients.matchAll({ type: 'window' })) if (new URL(c.url).pathname === path) return void (await c.focus())
  await self.clients.openWindow(path)
}

// renew enrols the subscription that takes the place of one that the browser ended.
async function renew(e: { oldSubscription?: PushSubscription; newSubscription?: PushSubscription }) {
  const key = e.oldSubscription?.options.applicationServerKey ?? (await read<string>('kept', 'pushkey'))
  const s = e.newSubscription ?? (key ? await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }) : undefined), j = s?.toJSON()
  if (j) await fetch('/api/v1/reach/phones', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ endpoint: j.endpoint, p256dh: j.keys?.p256dh, auth: j.keys?.auth, old: e.oldSubscription?.endpoint ?? '' }) })
}

async function fill() {
  const c = await caches.open(name)
  await c.addAll(SHELL)
  await keepPage(c, await fetch('/', { credentials: 'same-origin' }).catch(() => undefined))
}

async function sweep() {
  for (const k of await caches.keys()) if (k.startsWith('keng-') && k !== name) await caches.delete(k)
  await self.clients.claim()
}

async function shell(request: Request): Promise<Response> {
  const c = await caches.open(name), kept = await c.match('/')
  if (kept) return kept
  const r = await fetch(request)
  await keepPage(c, r.clone())
  return r
}

// keepPage keeps the page without what it says about people: only somebody who is signed in gets it, and it is old tomorrow.
async function keepPage(c: Cache, r: Response | undefined) {
  if (!r?.ok || r.redirected || r.type === 'opaqueredirect') return
  const html = await r.text(), bare = html.replace(/(<script[^>]*\bid="?boot"?[^>]*>)[^]*?(<\/script>)/, '$1$2')
  if (bare === html) return
  const headers = new Headers(r.headers)
  headers.delete('content-encoding')
  headers.delete('content-length')
  await c.put('/', new Response(bare, { headers }))
}

async function asset(request: Request): Promise<Response> {
  const c = await caches.open(name), kept = await c.match(request)
  if (kept) return kept
  const r = await fetch(request)
  if (r.ok) await c.put(request, r.clone())
  return r
}
