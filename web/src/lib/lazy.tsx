import type { ComponentType } from 'preact'
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'

// later makes components whose code comes with load. ahead() fetches it before anybody asks, while the phone is idle.
export function later<M extends object>(load: () => Promise<M>) {
  const got = signal<M | null>(null)
  let asked: Promise<M | undefined> | undefined
  const ahead = () => (asked ??= load().then((m) => (got.value = m), () => (asked = undefined)))
  const part = <P extends object>(pick: (m: M) => ComponentType<P>) => function Later(props: P) {
    useEffect(() => void ahead(), [])
    const C = got.value && pick(got.value)
    return C ? <C {...props} /> : <p class="later" aria-busy="true" />
  }
  return { ahead, part }
}
