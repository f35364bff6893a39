import type { Words } from '../../lib/i18n'
import type { Key } from './account.vi'

export const en: Words<Key> = {
  title: 'My account', fail: 'Could not be loaded. The server does not answer.', again: 'Try again', loading: 'Loading…',
  sessions: 'Signed-in devices', here: 'this one', unknown: 'Some device', used: 'last used {t}', end: 'Sign out', others: 'Sign all others out',
  keys: 'Keys', noKeys: 'None: your next shift could not begin.', k_passkey: 'Finger or face', k_phrase: 'Paper and six-digit code', k_province: 'The province’s account', never: 'never used', remove: 'Remove', add: 'Add a way in',
  colleagues: 'A colleague lost the keys', colleaguesSub: 'When two colleagues agree, he is invited again; his old keys and sessions end at once. Nobody does it alone.', ask: 'Ask to invite again', asked: '{by} asked, until {t}', agree: 'I agree', refuse: 'Not so, drop it', waits: 'Waits for another colleague', none: 'No colleague in this unit yet.', self: 'you',
  show: 'Let {name} scan this, or read out the code. Good once, for 7 days.', out: 'Sign this device out', sure: 'This device will hear no alarm any more. Sign out?', yes: 'Sign out', no: 'Cancel',
}
