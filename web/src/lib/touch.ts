// What the hand and the eye notice beside the picture: vibration, and a screen that stays on during an alarm.

const touched = () => navigator.userActivation?.hasBeenActive ?? true // a browser complains about shaking before the first touch

export function shake(pattern: number | number[]) { if (touched()) navigator.vibrate?.(pattern) }

export const shakes = { alarm: [220, 80, 220, 80, 500], holding: [40, 460, 60, 440, 80, 420, 100, 300, 400], done: [30, 60, 30], drill: [80] }

let wanted = false, lock: { release(): Promise<void>; released: boolean } | null = null

// stayAwake keeps the screen on while wanted; the lock is lost with every switch to another app, so it is taken again.
export function stayAwake(want: boolean) { wanted = want; void hold() }

async function hold() {
  try {
    if (wanted && !document.hidden && (!lock || lock.released)) lock = (await navigator.wakeLock?.request('screen')) ?? null
    else if (!wanted && lock && !lock.released) await lock.release()
  } catch { /* low battery or not allowed: the alarm goes on without it */ }
}
document.addEventListener('visibilitychange', () => void hold())
