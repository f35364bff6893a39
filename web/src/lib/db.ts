// A small IndexedDB: what waits to be sent, and the last state seen. Every function fails softly:
// a phone whose storage is full or blocked still raises an alarm.
export type Store = 'outbox' | 'kept'

let opened: Promise<IDBDatabase> | undefined

function open(): Promise<IDBDatabase> {
  return (opened ??= new Promise((ok, no) => {
    const r = indexedDB.open('keng', 1)
    r.onupgradeneeded = () => { r.result.createObjectStore('outbox', { keyPath: 'id' }); r.result.createObjectStore('kept') }
    r.onsuccess = () => ok(r.result)
    r.onerror = r.onblocked = () => no(r.error)
  }))
}

async function ask<T>(store: Store, mode: IDBTransactionMode, f: (s: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const tx = (await open()).transaction(store, mode), r = f(tx.objectStore(store))
  return new Promise((ok, no) => { tx.oncomplete = () => ok(r.result); tx.onabort = tx.onerror = () => no(tx.error) })
}

const soft = <T>(p: Promise<T>, otherwise: T) => p.catch(() => otherwise)

export const all = <T>(store: Store) => soft(ask<T[]>(store, 'readonly', (s) => s.getAll()), [])
export const read = <T>(store: Store, key: string) => soft(ask<T | undefined>(store, 'readonly', (s) => s.get(key)), undefined)
// write resolves to whether the value is on disk.
export const write = (store: Store, value: unknown, key?: string) => soft(ask(store, 'readwrite', (s) => s.put(value, key)).then(() => true), false)
export const erase = (store: Store, key: string) => soft(ask(store, 'readwrite', (s) => s.delete(key)).then(() => true), false)
export const wipe = (store: Store) => soft(ask(store, 'readwrite', (s) => s.clear()).then(() => true), false)
