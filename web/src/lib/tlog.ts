// Checks one entry of the log of acts without believing the server: its commitments, its place in the tree, the signature of the log.
// See internal/engine/audit; the tree is RFC 6962, the texts are C2SP tlog-proof, tlog-checkpoint and signed-note.

export interface Unseal { field: string; opening: string; value: string }
export interface Evidence { n: number; leaf: string; proof: string; key: string; opens: Unseal[] }

// What can be wrong, or '' when all is well: 'old' is a browser that cannot check signatures, 'unsigned' a server that signs nothing,
// 'key' a log that signs with another key than this phone saw before.
export type Verdict = '' | 'old' | 'unsigned' | 'key' | 'sealed' | 'leaf' | 'tree' | 'signature'

const utf8 = new TextEncoder()
const bytes = (b64: string) => Uint8Array.from(atob(b64), (c) => c.charCodeAt(0))
const join = (...parts: Uint8Array[]) => {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0))
  let at = 0
  for (const p of parts) { all.set(p, at); at += p.length }
  return all
}
const sha = async (...parts: Uint8Array[]) => new Uint8Array(await crypto.subtle.digest('SHA-256', join(...parts)))
const same = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((x, i) => x === b[i])
const b64 = (b: Uint8Array) => btoa(String.fromCharCode(...b)).replace(/=+$/, '')

// opens reports whether every opening opens its commitment in the leaf, and whether one of them says that the leaf is about somebody.
async function opens(leaf: Record<string, unknown>, list: Unseal[]): Promise<boolean> {
  let about = false
  for (const u of list) {
    const c = b64(await sha(utf8.encode('keng/commit/v1'), bytes(u.opening), utf8.encode(u.value)))
    const held = u.field === 'of' ? (leaf.of as string[] | undefined)?.includes(c) : leaf[u.field] === c
    if (!held) return false
    about ||= u.field === 'of'
  }
  return about
}

// root climbs from a leaf: RFC 9162, section 2.1.3.2. Places are numbers below 2^53.
async function root(leaf: Uint8Array, n: number, size: number, path: Uint8Array[]): Promise<Uint8Array | null> {
  let fn = n, sn = size - 1, r = leaf
  const up = () => { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2) }
  for (const p of path) {
    if (sn === 0) return null
    if (fn % 2 === 1 || fn === sn) {
      r = await sha(new Uint8Array([1]), p, r)
      while (fn % 2 === 0 && fn !== 0) up()
    } else r = await sha(new Uint8Array([1]), r, p)
    up()
  }
  return sn === 0 ? r : null
}

// signed reports whether the note bears a good signature of the key.
async function signed(text: string, lines: string[], vkey: string): Promise<boolean | null> {
  const [name, id, raw] = [vkey.slice(0, vkey.indexOf('+')), ...vkey.slice(vkey.indexOf('+') + 1).split(/\+(.*)/s)]
  const pub = bytes(raw)
  if (pub[0] !== 1 || pub.length !== 33) return false
  const hash = (await sha(utf8.encode(name + '\n'), pub)).slice(0, 4)
  if (Array.from(hash, (x) => x.toString(16).padStart(2, '0')).join('') !== id) return false
  let key: CryptoKey
  try { key = await crypto.subtle.importKey('raw', pub.slice(1), { name: 'Ed25519' }, false, ['verify']) } catch { return null }
  for (const line of lines) {
    const sig = line.startsWith(`— ${name} `) ? bytes(line.slice(name.length + 3)) : null
    if (sig && same(sig.slice(0, 4), hash) && await crypto.subtle.verify({ name: 'Ed25519' }, key, sig.slice(4), utf8.encode(text))) return true
  }
  return false
}

// check checks e. known is the key that this phone saw first, '' when this is the first time.
export async function check(e: Evidence, known: string): Promise<Verdict> {
  if (!globalThis.crypto?.subtle) return 'old'
  try {
    if (!await opens(JSON.parse(e.leaf), e.opens)) return 'sealed'
    if (!e.proof) return 'unsigned'
    if (known && known !== e.key) return 'key'
    const cut = e.proof.indexOf('\n\n'), head = e.proof.slice(0, cut).split('\n'), note = e.proof.slice(cut + 2)
    if (head[0] !== 'c2sp.org/tlog-proof@v1' || head[1] !== `index ${e.n}`) return 'leaf'
    const split = note.indexOf('\n\n'), text = note.slice(0, split + 1), [origin, size, hash] = text.split('\n')
    const made = await root(await sha(new Uint8Array([0]), utf8.encode(e.leaf)), e.n, Number(size), head.slice(2).map(bytes))
    if (!made || !same(made, bytes(hash))) return 'tree'
    if (!e.key.startsWith(origin + '+')) return 'signature'
    const good = await signed(text, note.slice(split + 2).split('\n'), e.key)
    return good === null ? 'old' : good ? '' : 'signature'
  } catch { return 'leaf' }
}
