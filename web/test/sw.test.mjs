// What the service worker does with a push message, in a world that is made up around the real code. Run: npm test
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'

const { outputFiles: [js] } = await build({ entryPoints: [new URL('../src/sw.ts', import.meta.url).pathname], bundle: true, write: false, format: 'iife', target: 'node20', define: { SHELL: '[]', BUILD: '"test"' } })

let on, shown, asked, opened, kept, answerWith

// fakeDB is the little of IndexedDB that lib/db.ts uses.
function fakeDB() {
  const store = (name) => ({
    get: (k) => ({ result: kept[name].get(k) }),
    put: (v, k) => { kept[name].set(k ?? v.id, v); return { result: undefined } },
    getAll: () => ({ result: [...kept[name].values()] }), delete: (k) => { kept[name].delete(k); return { result: undefined } },
  })
  return { open: () => { const r = { result: { transaction: () => { const tx = { objectStore: store }; queueMicrotask(() => tx.oncomplete?.()); return tx } } }; queueMicrotask(() => r.onsuccess?.()); return r } }
}

beforeEach(() => {
  on = {}; shown = []; asked = []; opened = []; kept = { outbox: new Map(), kept: new Map() }; answerWith = () => 204
  const self = {
    addEventListener: (name, f) => { on[name] = f }, skipWaiting() {},
    registration: { showNotification: async (title, o) => { shown.push({ title, ...o }) }, pushManager: { subscribe: async () => ({ toJSON: () => ({ endpoint: 'https://push.example/new', keys: { p256dh: 'p', auth: 'a' } }) }) } },
    clients: { matchAll: async () => [], openWindow: async (p) => { opened.push(p) }, claim: async () => {} },
  }
  runInContext(js.text, createContext({
    self, URL, Request, Response, Headers, Promise, queueMicrotask, indexedDB: fakeDB(), location: { origin: 'https://keng.example' }, setTimeout: (f) => setTimeout(f, 1), clearTimeout,
    fetch: async (path, o) => { asked.push({ path, ...o, body: JSON.parse(o.body) }); const s = answerWith(path); if (!s) throw new TypeError('no network'); return { status: s } },
  }))
})

const fire = async (name, e) => { const waits = []; on[name]({ ...e, waitUntil: (p) => waits.push(p) }); await Promise.all(waits) }
const letter = { id: 'm1', kind: 'alarm', title: 'Cháy – Nhà số 6', body: 'Số 6, ngõ 12.', lang: 'vi', tag: 'i1', path: '/', incident: 'i1', person: 'p-1', receipt: 'R', answer: 'A', actions: [{ answer: 'coming', label: 'Đang đến' }, { answer: 'safe', label: 'An toàn' }, { answer: 'need_help', label: 'Cần cứu' }] }
const pushed = (l) => fire('push', { data: { json: () => l } })
const tap = (action) => fire('notificationclick', { action, notification: { data: letter, close() {} } })

test('an alarm is shown loudly and received without a session', async () => {
  await pushed(letter)
  assert.equal(shown.length, 1)
  assert.equal(shown[0].silent, false)
  assert.equal(shown[0].requireInteraction, true)
  assert.deepEqual(shown[0].actions.map((a) => a.title), ['Đang đến', 'An toàn', 'Cần cứu'])
  assert.equal(asked[0].path, '/v1/receipts')
  assert.equal(asked[0].credentials, 'omit')
  assert.deepEqual(asked[0].body, { token: 'R' })
})

test('the same message again makes no noise, a newer one does', async () => {
  await pushed(letter); await pushed(letter); await pushed({ ...letter, id: 'm2' })
  assert.deepEqual(shown.map((n) => n.silent), [false, true, false])
  assert.equal(shown[1].vibrate, undefined)
})

test('what cannot be read is shown all the same', async () => {
  await fire('push', { data: { json: () => { throw new SyntaxError('no JSON') } } })
  await fire('push', { data: null })
  assert.equal(shown.length, 2)
  assert.equal(asked.length, 0)
})

test('a receipt is tried again until the server has it', async () => {
  let n = 0
  answerWith = () => [0, 503, 204][n++]
  await pushed(letter)
  assert.equal(asked.length, 3)
})

test('an answer goes out with its token and is said', async () => {
  await tap('coming')
  assert.equal(asked[0].path, '/v1/answers')
  assert.deepEqual(asked[0].body, { token: 'A', answer: 'coming' })
  assert.equal(asked[0].headers['idempotency-key'], 'push-m1-coming')
  assert.equal(shown[0].body, 'Đã trả lời: Đang đến')
  assert.equal(kept.outbox.size, 0)
})

test('without a network the answer waits in the outbox, under the same key', async () => {
  answerWith = () => 0
  await tap('need_help')
  const d = kept.outbox.get('push-m1-need_help')
  assert.equal(d.path, '/api/v1/incidents/i1/answers')
  assert.equal(d.person, 'p-1')
  assert.deepEqual({ ...d.body }, { answer: 'need_help' })
  assert.equal(shown[0].body, 'Chưa gửi được. Mở Kẻng.')
})

test('an answer that comes too late says so', async () => {
  answerWith = () => 409
  await tap('safe')
  assert.equal(shown[0].body, 'Việc này đã kết thúc. Mở Kẻng để xem.')
  assert.equal(kept.outbox.size, 0)
})

test('a tap on the notification opens Kẻng', async () => {
  await tap('')
  assert.deepEqual(opened, ['/'])
  assert.equal(asked.length, 0)
})

test('a subscription that ended is enrolled anew, in the place of the old one', async () => {
  await fire('pushsubscriptionchange', { oldSubscription: { endpoint: 'https://push.example/old', options: { applicationServerKey: 'k' } } })
  assert.equal(asked[0].path, '/api/v1/reach/phones')
  assert.deepEqual(asked[0].body, { endpoint: 'https://push.example/new', p256dh: 'p', auth: 'a', old: 'https://push.example/old' })
})
