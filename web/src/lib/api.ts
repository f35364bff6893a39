// How the screens speak to the server: JSON, a session cookie, RFC 9457 problems.
import type { Problem } from './types'

// Refusal is an answer of the server that is not yes. Its message is the server's sentence for the person.
export class Refusal extends Error {
  constructor(readonly problem: Problem) { super(problem.detail || problem.title) }
}

// uid is a random id; crypto.randomUUID is missing on plain http in a local network.
export function uid(): string {
  const b = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('')
}

// call throws a Refusal when the server says no, and a TypeError or AbortError when it could not be reached within ms.
export async function call<T>(method: 'GET' | 'POST', path: string, body?: unknown, key?: string, ms = 10_000): Promise<T> {
  const stop = new AbortController(), timer = setTimeout(() => stop.abort(), ms)
  try {
    const headers: Record<string, string> = { accept: 'application/json' }, raw = body instanceof Blob // a picture, a voice
    if (body !== undefined && !raw) headers['content-type'] = 'application/json'
    if (key) headers['idempotency-key'] = key
    const r = await fetch(path, { method, headers, body: raw ? body : body === undefined ? undefined : JSON.stringify(body), signal: stop.signal, cache: 'no-store', keepalive: method === 'POST' && !raw })
    const text = await r.text()
    if (!r.ok) throw new Refusal(problemOf(r.status, text))
    return (text ? JSON.parse(text) : undefined) as T
  } finally { clearTimeout(timer) }
}

export const get = <T>(path: string) => call<T>('GET', path)

function problemOf(status: number, text: string): Problem {
  try { return { title: '', ...JSON.parse(text), status } } catch { return { status, title: '' } }
}
