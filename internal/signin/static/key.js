// Passkeys on pages that otherwise work without a script. Without it, or where passkeys cannot be, paper and invites do.
(() => {
  const el = (id) => document.getElementById(id)
  const bytes = (s) => Uint8Array.from(atob(s.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))
  const text = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')

  class Refusal extends Error { constructor(p) { super(p.detail || p.title); this.key = p.key } }
  async function post(path, body) {
    const r = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json' }, body: JSON.stringify(body), cache: 'no-store' })
    const t = await r.text(), v = t ? JSON.parse(t) : {}
    if (!r.ok) throw new Refusal(v)
    return v
  }

  async function enter(verify) {
    const o = (await post('/api/v1/sign-in/options', { verify })).publicKey
    o.challenge = bytes(o.challenge)
    delete o.allowCredentials
    const c = await navigator.credentials.get({ publicKey: o }), r = c.response
    try {
      return await post('/api/v1/sign-in', { credential: { id: c.id, rawId: text(c.rawId), type: c.type, authenticatorAttachment: c.authenticatorAttachment || undefined, clientExtensionResults: {}, response: {
        clientDataJSON: text(r.clientDataJSON), authenticatorData: text(r.authenticatorData), signature: text(r.signature), userHandle: r.userHandle ? text(r.userHandle) : undefined } } })
    } catch (e) {
      if (e.key === 'signin.verify' && !verify) return enter(true)
      throw e
    }
  }

  async function make() {
    let o
    try { o = (await post('/api/v1/me/keys/options', {})).publicKey } catch (e) {
      if (e.key !== 'signin.prove_first') throw e
      await enter(true) // it is me: then once more
      o = (await post('/api/v1/me/keys/options', {})).publicKey
    }
    o.challenge = bytes(o.challenge)
    o.user.id = bytes(o.user.id)
    for (const x of o.excludeCredentials || []) x.id = bytes(x.id)
    const c = await navigator.credentials.create({ publicKey: o }), r = c.response
    await post('/api/v1/me/keys', { credential: { id: c.id, rawId: text(c.rawId), type: c.type, authenticatorAttachment: c.authenticatorAttachment || undefined, clientExtensionResults: {}, response: {
      clientDataJSON: text(r.clientDataJSON), attestationObject: text(r.attestationObject), transports: r.getTransports ? r.getTransports() : [] } } })
  }

  // A browser has passkeys on https and on localhost, never at an address in digits.
  const can = window.isSecureContext && 'PublicKeyCredential' in window && !/^[\d.]+$|:/.test(location.hostname)
  const box = el('passkey')
  if (!box) return
  const elsewhere = box.dataset.origin && box.dataset.origin !== location.origin
  box.hidden = !can || elsewhere
  if (el('nokey')) el('nokey').hidden = !box.hidden
  const said = el('said')
  const tell = (s) => { said.textContent = s; said.hidden = !s }
  const on = (id, go) => {
    const b = el(id)
    if (!b) return
    b.addEventListener('click', async () => {
      b.disabled = true
      tell('')
      try { await go(b) } catch (e) { tell(e instanceof Refusal ? e.message : box.dataset.wrong) }
      b.disabled = false
    })
  }
  on('enter', async () => { location.assign((await enter(false)).to) })
  on('add', async (b) => { await make(); b.hidden = true; tell(''); location.assign(box.dataset.to) })
})()
