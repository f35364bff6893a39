// The thread of a group, or of an incident, kept true by asking for what came after the last change. Messages are kept nowhere on this device.
import { effect, signal, type Signal } from '@preact/signals'
import { Refusal, get } from './api'
import { hint } from './live'
import { ms } from './time'

export interface TalkFile { url: string; media: string; size: number; width: number; height: number; seconds: number }
export interface Message {
  id: string; rev: number; kind: 'text' | 'photo' | 'voice' | 'announce' | 'notice' | 'warning'; at: string
  by: string; person: string; role: string; home: string; incident: string; title: string; text: string; level: string; expires_at?: string | null
  file: TalkFile | null; removed: '' | 'author' | 'leader' | 'desk'; seen: number; of: number; seen_by_me: boolean
}
export interface TalkPage { rev: number; more: boolean; from: string; messages: Message[] }
export interface Notice { id: string; kind: 'notice' | 'warning'; at: string; by: string; title: string; text: string; level: string; expires_at: string; withdrawn_at?: string | null; groups: number; people: number; seen: number }

export type TalkState = 'loading' | 'ready' | 'failed' | 'closed'
export interface Thread { list: Signal<readonly Message[]>; state: Signal<TalkState>; older: Signal<boolean>; refresh: () => Promise<void>; back: () => Promise<void>; take: (m: Message) => void; stop: () => void }

const wait = 3000 // ms until a question that got no answer is asked again

export const counted = (m: Message) => m.kind === 'announce' || m.kind === 'notice' || m.kind === 'warning'

// threadOf asks at once, and again whenever the server hints that something changed or the stream began anew.
export function threadOf(group: string, incident = ''): Thread {
  const list = signal<readonly Message[]>([]), state = signal<TalkState>('loading'), older = signal(false)
  const path = `/api/v1/chat/${encodeURIComponent(group)}?limit=100` + (incident && `&incident=${encodeURIComponent(incident)}`)
  let rev = -1, running: Promise<void> | null = null, again = false, later = 0

  const merge = (fresh: readonly Message[], from: string) => {
    const all = new Map(list.peek().map((m) => [m.id, m]))
    for (const m of fresh) { const had = all.get(m.id); if (!had || m.rev >= had.rev) all.set(m.id, m) }
    list.value = [...all.values()].filter((m) => !from || ms(m.at) >= ms(from)).sort((a, b) => (a.id < b.id ? -1 : 1))
  }
  const ask = async () => {
    try {
      for (let more = true; more;) {
        const p = await get<TalkPage>(`${path}&after=${rev}`), first = rev < 0
        merge(p.messages, p.from)
        if (first) older.value = p.more
        more = !first && p.more
        rev = Math.max(0, p.rev)
      }
      state.value = 'ready'
    } catch (e) {
      const status = e instanceof Refusal ? e.problem.status : 0
      if (status === 403 || status === 404) { state.value = 'closed'; list.value = [] } else {
        if (state.peek() === 'loading') state.value = 'failed'
        clearTimeout(later); later = window.setTimeout(() => void refresh(), wait)
      }
    }
  }
  // refresh: of many hints at once, one question now and one after it.
  const refresh = (): Promise<void> => {
    if (running) { again = true; return running }
    running = ask().finally(() => { running = null; if (again) { again = false; void refresh() } })
    return running
  }
  const back = async () => {
    const first = list.peek()[0]
    if (!first) return
    try { const p = await get<TalkPage>(`${path}&before=${first.id}`); merge(p.messages, p.from); older.value = p.more } catch { /* asked again by the same button */ }
  }
  const deaf = effect(() => { const h = hint.value as { group?: string } | null; if (!h?.group || h.group === group) void refresh() })
  return { list, state, older, refresh, back, take: (m) => merge([m], ''), stop: () => { clearTimeout(later); deaf() } }
}
