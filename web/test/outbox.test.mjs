// The outbox's promises, against a server that really listens and really cuts lines. Run: npm test
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { afterEach, before, beforeEach, test } from 'node:test'
import { build } from 'esbuild'

const real = { fetch: globalThis.fetch, setTimeout: globalThis.setTimeout }
let server, outbox, plan, seen, number = 0

// A server that remembers every Idempotency-Key. plan(n, path) says what happens to the n-th request:
// 'ok', 'cut' (the line breaks before the server has read it), 'lose' (done, but the answer is lost), a status, or a list that gets a
// function which lets it go on.
function serve(req, res) {
  let body = ''
  req.on('data', (d) => { body += d })
  req.on('end', async () => {
    const key = req.headers['idempotency-key'], what = plan(seen.requests++, req.url)
    if (Array.isArray(what)) await new Promise((ok) => what.push(ok))
    if (what === 'cut') return req.socket.destroy()
    if (typeof what === 'number') { res.writeHead(what, { 'content-type': 'application/problem+json' }); return res.end(JSON.stringify({ status: what, title: 'no', detail: 'Không được.' })) }
    if (!seen.done.has(key)) { seen.done.set(key, { path: req.url, body: JSON.parse(body) }); seen.order.push(JSON.parse(body)) }
    if (what === 'lose') return req.socket.destroy()
    res.writeHead(201, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ id: 'incident-of-' + key.slice(0, 6) }))
  })
}

before(() => {
  Object.assign(globalThis, {
    document: { addEventListener() {}, hidden: false }, addEventListener() {}, window: globalThis,
    setTimeout: (f, ms, ...a) => real.setTimeout(f, ms === 10_000 ? ms : ms / 100, ...a), // back-off a hundred times faster; the time limit of a request stays
  })
})

// Every test has its own server and its own outbox, as if the page had just been opened.
beforeEach(async () => {
  seen = { requests: 0, done: new Map(), order: [] }
  plan = () => 'ok'
  server = createServer(serve).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = `http://127.0.0.1:${server.address().port}`, name = 'fetch' + number++
  globalThis[name] = (path, o) => real.fetch(base + path, { ...o, keepalive: false })
  const { outputFiles: [js] } = await build({ stdin: { contents: "export * from './src/lib/outbox.ts'", resolveDir: new URL('..', import.meta.url).pathname }, bundle: true, write: false, format: 'esm', target: 'node20', define: { fetch: 'globalThis.' + name } })
  outbox = await import('data:text/javascript;base64,' + Buffer.from(js.contents).toString('base64'))
  await outbox.identify('p-1')
})
afterEach(async () => {
  await outbox.identify('') // nobody: it stops
  server.close()
  server.closeAllConnections()
})

// until waits for a condition, and says after 20 s that it never came.
async function until(what, condition) {
  const end = Date.now() + 20_000
  while (!condition()) { assert.ok(Date.now() < end, 'never: ' + what); await new Promise((ok) => real.setTimeout(ok, 2)) }
}
const empty = () => outbox.queue.value.length === 0

test('a hundred deeds through lines that break before and after the server: none lost, none doubled, order kept', async () => {
  let dice = 42 // the same accidents in every run
  plan = () => { dice = (dice * 1103515245 + 12345) % 2147483648; return ['ok', 'ok', 'cut', 'lose', 503][dice % 5] }
  for (let n = 0; n < 100; n++) outbox.send(`/api/v1/incidents/i${n % 3}/answers`, { n })
  await until('the queue is empty', empty)
  assert.equal(seen.done.size, 100)
  assert.ok(seen.requests > 130, `only ${seen.requests} requests: nothing was cut`)
  for (const lane of [0, 1, 2]) {
    const got = seen.order.map((b) => b.n).filter((n) => n % 3 === lane)
    assert.deepEqual(got, got.toSorted((a, b) => a - b), `incident i${lane} out of order`)
  }
})

test('an alarm does not wait for anything that was there before', async () => {
  const held = []
  plan = (_, path) => (path.includes('/old/') ? held : 'ok')
  for (let n = 0; n < 5; n++) outbox.send('/api/v1/incidents/old/answers', { n })
  await until('the first is under way', () => held.length === 1)
  outbox.send('/api/v1/incidents', { alarm: true }, { alarm: true })
  await until('the alarm is there', () => seen.order.length === 1)
  assert.deepEqual(seen.order, [{ alarm: true }])
  plan = () => 'ok'
  held[0]()
  await until('the queue is empty', empty)
  assert.deepEqual(seen.order.map((b) => b.n), [undefined, 0, 1, 2, 3, 4])
})

test('one incident whose deed the server cannot take does not hold up another', async () => {
  plan = (_, path) => (path.includes('/sick/') ? 500 : 'ok')
  outbox.send('/api/v1/incidents/sick/answers', {})
  outbox.send('/api/v1/incidents/well/answers', {})
  await until('only one is left', () => outbox.queue.value.length === 1)
  assert.equal(seen.done.size, 1)
})

test('what follows an alarm that the server does not know yet reaches its incident', async () => {
  plan = (n) => (n < 3 ? 'cut' : 'ok')
  const alarm = outbox.send('/api/v1/incidents', {}, { alarm: true })
  outbox.send(`/api/v1/incidents/${outbox.raised(alarm.id)}/category`, { category: 'fire' })
  await until('the queue is empty', empty)
  const paths = [...seen.done.values()].map((d) => d.path)
  assert.deepEqual(paths, ['/api/v1/incidents', `/api/v1/incidents/incident-of-${alarm.id.slice(0, 6)}/category`])
})

test('a refusal is shown with the words of the server and not tried again', async () => {
  plan = () => 409
  outbox.send('/api/v1/incidents/i/answers', {}, { told: 'An toàn' })
  await until('the refusal is there', () => outbox.refusals.value.length === 1)
  assert.equal(outbox.refusals.value[0].problem.detail, 'Không được.')
  assert.equal(seen.requests, 1)
  assert.ok(empty())
  outbox.forget(outbox.refusals.value[0].id)
  assert.equal(outbox.refusals.value.length, 0)
})

test('a refused alarm takes what follows it along, and is always told', async () => {
  plan = (_, path) => (path === '/api/v1/incidents' ? 403 : 'ok')
  const alarm = outbox.send('/api/v1/incidents', {}, { alarm: true, quiet: true })
  outbox.send(`/api/v1/incidents/${outbox.raised(alarm.id)}/category`, {})
  await until('the queue is empty', empty)
  assert.equal(seen.done.size, 0)
  assert.equal(outbox.refusals.value.length, 1)
})

test('who is signed out keeps what was said until signed in again', async () => {
  plan = () => 401
  outbox.send('/api/v1/incidents', {}, { alarm: true })
  await until('the sign-in is asked for', () => outbox.signedOut.value)
  assert.equal(outbox.queue.value.length, 1)
  plan = () => 'ok'
  outbox.flush()
  await until('the queue is empty', empty)
  assert.equal(outbox.signedOut.value, false)
})

test('a drill that could not start in time never starts', async () => {
  plan = () => 'cut'
  outbox.send('/api/v1/groups/g1/drills', {}, { within: 30 })
  await until('it is given up', () => outbox.refusals.value.length === 1)
  assert.equal(outbox.refusals.value[0].problem, null)
  assert.equal(seen.done.size, 0)
})

test('an alarm that lay for half an hour is sent only when somebody says so', async () => {
  const now = Date.now
  plan = () => 'cut'
  Date.now = () => now() - 31 * 60_000
  const alarm = outbox.send('/api/v1/incidents', {}, { alarm: true }) // tried at once, in vain
  Date.now = now
  await until('it was tried', () => seen.requests === 1)
  plan = () => 'ok'
  await new Promise((ok) => real.setTimeout(ok, 300)) // 30 times the first back-off
  assert.equal(seen.requests, 1)
  assert.ok(outbox.stale(outbox.queue.value[0]))
  outbox.allow(alarm.id)
  await until('the queue is empty', empty)
  assert.equal(seen.done.size, 1)
})

test('what was never tried can be taken back; what may have arrived cannot', async () => {
  const held = []
  plan = () => held
  outbox.send('/api/v1/incidents/i/answers', { n: 1 })
  const second = outbox.send('/api/v1/incidents/i/answers', { n: 2 }) // waits for the first
  await until('the first is under way', () => held.length === 1)
  assert.equal(outbox.recall(second.id), true)
  plan = () => 'lose'
  held[0]()
  await until('the queue is empty', empty)
  const third = outbox.send('/api/v1/incidents', {}, { alarm: true })
  await until('it was tried', () => seen.requests > 1)
  assert.equal(outbox.recall(third.id), false)
  assert.deepEqual(seen.order[0], { n: 1 })
})

test('nothing is sent in the name of somebody else', async () => {
  plan = () => 'cut'
  outbox.send('/api/v1/incidents/i/answers', { by: 'p-1' })
  await until('it was tried', () => seen.requests > 0)
  await outbox.identify('p-2')
  await new Promise((ok) => real.setTimeout(ok, 50)) // one may have been under way
  plan = () => 'ok'
  outbox.send('/api/v1/incidents/i2/answers', { by: 'p-2' })
  await until('the second is sent', () => seen.done.size > 0)
  await new Promise((ok) => real.setTimeout(ok, 200))
  assert.deepEqual(seen.order.map((b) => b.by), ['p-2'])
})
