// Keeps the app new without ever getting in the way: a new version takes over, and the page reloads, only when nothing is open.
import { trust } from './trust'

const look = 20_000 // ms between looks whether it is calm enough
let touchedAt = Date.now()

export async function keepFresh(calm: () => boolean) {
  if (!('serviceWorker' in navigator)) return
  for (const e of ['pointerdown', 'keydown']) addEventListener(e, () => { touchedAt = Date.now() }, { passive: true })
  const quiet = () => calm() && (document.hidden || Date.now() - touchedAt > look)
  let had = !!navigator.serviceWorker.controller
  let stale = false
  navigator.serviceWorker.addEventListener('controllerchange', () => { stale = had; had = true; if (stale && quiet()) location.reload() })
  trust({ createScriptURL: (u) => (u === '/sw.js' ? u : null) })
  const reg = await navigator.serviceWorker.register('/sw.js').catch(() => undefined)
  if (!reg) return
  void navigator.serviceWorker.ready.then((r) => { if (!navigator.serviceWorker.controller) r.active?.postMessage('claim') })
  setInterval(() => {
    if (!quiet()) return
    if (stale) location.reload()
    else reg.waiting?.postMessage('take-over')
  }, look)
  setInterval(() => void reg.update().catch(() => undefined), 3600e3)
}

// forgetShell removes what is kept of the page, when somebody signs out.
export async function forgetShell() {
  if (!('caches' in window)) return
  for (const k of await caches.keys()) await (await caches.open(k)).delete('/')
}
