import type { Words } from '../lib/i18n'
import type { Key } from './door.vi'

export const en: Words<Key> = {
  title: 'My ways in', fail: 'Could not load. Check the network and try again.', again: 'Try again', loading: 'Loading…', back: 'Back',
  sessions: 'Signed-in devices', here: 'This one', unknown: 'Some device', used: 'last used {t}', began: 'since {t}', end: 'Sign that one out', others: 'Sign all others out', othersSub: 'This one stays.',
  keys: 'My keys', noKeys: 'None yet. If you sign out you will need a new invitation.', k_passkey: 'Finger or face', k_phrase: 'Paper', k_province: 'The province’s account', never: 'never used', made: 'since {t}', remove: 'Remove this key', removeSub: 'You can no longer come in by it.', add: 'Add a way in',
  phones: 'Phones of the group', newPhone: 'New phone', newSub: 'Since {t}. If they say it was not them, tell the leader.', noNew: 'Nobody changed phones this week.', invite: 'Invite again', inviteSub: 'When somebody changed or lost a phone.', who: 'Invite whom again?', out: 'not in Keng yet', how: 'Did {name} change the phone, or lose it?', changed: 'Changed', changedSub: 'The old one works until the new one is in.', lost: 'Lost', lostSub: 'Lock the old one out now.', show: 'Let {name} scan this, or read out the code', once: 'Good once, for 7 days.', done: 'Done', cancel: 'Cancel',
}
