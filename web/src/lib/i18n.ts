// Words. Vietnamese is in the bundle; another language is loaded when somebody chooses it.
//
// Each screen keeps its own dictionary:   const t = words(vi, () => import('./en'))
// A text may hold {name} and {n:one|many}: the value of n with the word that fits it.
import { signal } from '@preact/signals'
import type { Lang } from './types'
import { vi } from './vi'

export type Words<K extends string> = Record<K, string>
export type Values = Record<string, unknown>
// Say returns '' for a key it does not know, so that a screen can fall back to another sentence.
export type Say<K extends string> = (key: K | (string & {}), values?: Values) => string

export const lang = signal<Lang>('vi')
const english = new Set<() => Promise<unknown>>()

export function words<K extends string>(base: Words<K>, en: () => Promise<{ en: Words<K> }>): Say<K> {
  const table = signal<Words<K>>(base)
  const load = async () => { const other = lang.peek() === 'en' ? (await en()).en : base; table.value = other }
  english.add(load)
  if (lang.peek() !== 'vi') void load()
  return (key, values) => fill((table.value as Record<string, string>)[key] ?? '', values)
}

export function fill(text: string, values?: Values): string {
  return !values ? text : text.replace(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g, (_, name: string, one?: string, many?: string) => {
    const v = String(values[name] ?? '')
    return one === undefined ? v : `${v} ${v === '1' ? one : many}`
  })
}

// speak changes the language of every dictionary loaded so far and of those to come.
export async function speak(l: Lang) {
  lang.value = l
  document.documentElement.lang = l
  await Promise.allSettled([...english].map((load) => load()))
}

// choose is speak, remembered on this device and by the server for its own sentences.
export async function choose(l: Lang) {
  document.cookie = `keng_lang=${l};path=/;max-age=31536000;samesite=lax`
  await speak(l)
}

export const chosen = () => document.cookie.match(/(?:^|; )keng_lang=(vi|en)/)?.[1] as Lang | undefined

// t holds the words that every screen shares.
export const t = words(vi, () => import('./en'))
