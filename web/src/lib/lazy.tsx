import type { ComponentType } from 'preact'
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'

// later makes components whose code comes with load. ahead() fetches it before anybody asks, while the phone is idle.
export function later<M extends object>(load: () => Promise<M>) {
  const got = signal<M | null>(null)
  let asked = false
  const ahead = () => {
    if (asked) return
    asked = true
    load().then((m) => { got.value = m }, () => { asked = false })
  }
  const part = <P extends object>(pick: (m: M) => ComponentType<P>) => function Later(props: P) {
    useEffect(ahead, [])
    const C = got.value && pick(got.value)
    return C ? <C {...props} /> : <p class="later" aria-busy="true" />
  }
  return { ahead, part }
}
