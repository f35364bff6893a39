// Why a home is as it is, in one sentence, from the server's key and values.
import { t as common, words, type Values } from './i18n'
import { vi } from './reason.vi'
import { dm, hm } from './time'
import type { Args, Reason } from './types'

const t = words(vi, () => import('./reason.en'))

export const sentence = (r: Reason | undefined, otherwise: string) => say(t, r) || common(otherwise)

// say finds the sentence for a key; "home.siren_offline" falls back to "home.device_offline" with the kind as {what}.
export function say(dict: (key: string, values?: Values) => string, r: Reason | undefined): string {
  if (!r?.key) return ''
  const v = values(r.args ?? {})
  return dict(r.key, v) || dict(r.key.replace(/\.(siren|button)_/, '.device_'), v)
}

function values(a: Args): Values {
  const hours = Number(a.hours), time = (x: unknown) => (x ? `${hm(String(x))} ${dm(String(x))}` : '')
  const span = hours < 1 ? t('span_now') : hours < 48 ? t('span_hours', { n: hours }) : t('span_days', { n: Math.round(hours / 24) })
  return { ...a, what: common('kind_' + a.kind), span, until: time(a.until), at: time(a.at) }
}
