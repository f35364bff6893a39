// The kẻng: inharmonic partials of a struck steel bar, made by the browser, so no file has to be loaded.
//   alarm     four fast strokes, again every 1.9 s, for as long as it rings
//   drill     two slow, soft, high strokes every 4 s: nobody takes it for an alarm
//   all_calm  one long soft stroke, once (báo yên, 22:00)
//   notice    one stroke: an alarm has arrived at the duty desk (console only)
//   lost      two dull falling strokes: the duty desk has lost its connection and is deaf (console only)
import { signal } from '@preact/signals'

export type Code = 'alarm' | 'drill' | 'all_calm' | 'notice' | 'lost'

// audible: whether this page may make a sound. A browser wants a touch first.
export const audible = signal(false)

let ctx: AudioContext | undefined, out: AudioNode | undefined, timer = 0, ringing: Code | null = null

function open(): AudioContext | undefined {
  if (ctx || typeof AudioContext === 'undefined') return ctx
  ctx = new AudioContext()
  const press = ctx.createDynamicsCompressor()
  press.connect(ctx.destination)
  out = press
  ctx.onstatechange = () => { audible.value = ctx!.state === 'running' }
  audible.value = ctx.state === 'running'
  return ctx
}

// unlock must be called from a touch or key press.
export async function unlock() {
  try { await open()?.resume() } catch { /* no sound card: the screen still shows the alarm */ }
  audible.value = ctx?.state === 'running'
}

const partials = [[412, 0.5, 1.6], [1135, 0.35, 1.1], [2224, 0.22, 0.7], [3677, 0.12, 0.4]] // Hz, loudness, decay in s

function strike(after: number, loud = 1, pitch = 1, length = 1) {
  if (ctx?.state !== 'running' || !out) return // strokes that wait for a sleeping context would all sound at once
  const at = ctx.currentTime + after
  for (const [hz, gain, decay] of partials) {
    const o = ctx.createOscillator(), v = ctx.createGain(), end = at + decay * length
    o.frequency.value = hz * pitch
    o.connect(v).connect(out)
    v.gain.setValueAtTime(0, at)
    v.gain.linearRampToValueAtTime(gain * loud, at + 0.004)
    v.gain.exponentialRampToValueAtTime(0.0008, end)
    o.start(at); o.stop(end + 0.05)
  }
}

function phrase(code: Code) {
  if (code === 'alarm') for (let i = 0; i < 4; i++) strike(i * 0.28)
  if (code === 'drill') for (let i = 0; i < 2; i++) strike(i * 0.9, 0.3, 1.5, 0.6)
  if (code === 'all_calm') strike(0, 0.35, 0.75, 3)
  if (code === 'notice') strike(0, 0.6)
  if (code === 'lost') { strike(0, 0.5, 0.6, 0.5); strike(0.45, 0.5, 0.45, 0.7) }
}

const every: Record<Code, number> = { alarm: 1900, drill: 4000, all_calm: 0, notice: 0, lost: 0 } // ms, 0 for once

// ring starts a code, or goes on with it; another code replaces it. all_calm never replaces an alarm.
export function ring(code: Code) {
  if (ringing === code || (ringing && !every[code])) return
  stop()
  if (!open()) return
  phrase(code)
  if (!every[code]) return
  ringing = code
  timer = window.setInterval(() => phrase(code), every[code])
}

export function stop() { clearInterval(timer); ringing = null }

// once plays a code one time, for the test on this phone.
export function once(code: Code) { if (open()) phrase(code) }
