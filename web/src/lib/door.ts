// Where somebody is signed in and how he comes in: what the server says of it, and what one may do about it.
import { Refusal, call, get } from './api'

export interface Session { id: string; device: string; way: string; began: string; used: string; expires: string; current: boolean }
export interface Key { id: string; kind: 'passkey' | 'phrase' | 'province'; name: string; made: string; used: string | null }
export interface Door { sessions: Session[]; keys: Key[] }
export interface Phone { person: string; name: string; home: string; role: string; new_phone: string | null; signed_in: boolean }
export interface Invite { name: string; code: string; link: string; qr: string; expires: string }
export interface Colleague { person: string; name: string; role: string; unit: string; self: boolean; renewal: { id: string; by: string; mine: boolean; expires: string } | null }

export async function door(): Promise<Door> {
  const [sessions, { keys }] = await Promise.all([get<Session[]>('/api/v1/me/sessions'), get<{ keys: Key[] }>('/api/v1/me/keys')])
  return { sessions, keys }
}
export const endSession = (id: string) => call('POST', `/api/v1/me/sessions/${id}/end`, {})
export const endOthers = () => call('POST', '/api/v1/me/sessions/end-others', {})
export const removeKey = (k: Key) => call('POST', `/api/v1/me/keys/${k.kind}/${encodeURIComponent(k.id)}/remove`, {})
export const phones = (group: string) => get<Phone[]>(`/api/v1/groups/${group}/phones`)
export const reinvite = (person: string, lost: boolean) => call<Invite>('POST', `/api/v1/people/${person}/invite`, { lost })
export const colleagues = () => get<Colleague[]>('/api/v1/me/colleagues')
export const askRenewal = (person: string) => call('POST', `/api/v1/me/colleagues/${person}/renewal`, {})
export const agree = (id: string) => call<Invite>('POST', `/api/v1/renewals/${id}/agree`, {})
export const refuse = (id: string) => call('POST', `/api/v1/renewals/${id}/refuse`, {})

// why is the server's sentence, or the caller's own when it did not answer.
export const why = (e: unknown, otherwise: string) => (e instanceof Refusal && e.message) || otherwise
