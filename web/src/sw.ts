// The service worker keeps the shell of the resident's page, so that the gong is there without a server and at once on a slow network.
// What is known of the group is kept by the page itself (lib/live.ts); deeds wait in the outbox (lib/outbox.ts).
/// <reference lib="webworker" />
export {}
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
