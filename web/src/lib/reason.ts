// Why a home or a device is not ready: one cause and one thing to do, from the server's key.
import { t as common, words } from './i18n'
import { vi } from './reason.vi'
import type { Reason } from './types'

const t = words(vi, () => import('./reason.en'))

export function sentence(r: Reason | undefined, otherwise: string): string {
  return (r?.key && t(r.key, r.args)) || common(otherwise)
}
