import type { Key } from './talk.vi'
export const en: Record<Key, string> = {
  title: 'What the group says', logged: 'Each time the desk reads along is written down, and the group can see it. When the incident is closed, it can be read no more.', loading: 'Loading…', failed: 'Could not load. It will be tried again.', closed: 'This conversation is closed to the desk.', empty: 'Nobody has said anything.', say: 'Tell the group', send: 'Send', sending: 'Sending…', gone: 'This message was removed.', photo: 'Picture by {by}', voice: 'Voice note by {by}, {n} s',
  notices: 'Notices to groups', ntTitle: 'In one line', ntText: 'More (optional)', ntUntil: 'Until (empty: 90 days)', ntGroups: 'To', ntAll: 'All of {unit} ({n:group|groups})', ntSend: 'Send to {n:group|groups}', ntPast: 'Sent', ntNone: 'No notice yet.', needTitle: 'Say it in one line first.', needGroups: 'Choose at least one group.', net: 'The server could not be reached. Try again.', again: 'Try again',
  reach: '{g:group|groups}, {p:person|people}; seen by {s}', withdraw: 'Withdraw', withdrawYes: 'Withdraw from every phone', withdrawn: 'Withdrawn', over: 'Over', until: 'until {t}', warning: 'Warning', notice: 'Notice',
}
