import type { Key } from './rights.vi'
export const en: Record<Key, string> = {
  title: 'Requests about personal data', sub: 'People ask about their own data. Each has its legal clock; whatever is done here, that person can read.', none: 'No requests yet.', loading: 'Loading…', fail: 'Could not load. The server does not answer.', again: 'Try again',
  k_see: 'Wants to see the data', k_correct: 'Wants it corrected', k_export: 'Wants a copy', k_delete: 'Wants to be erased', k_withdraw: 'Withdraws consent', erased: 'Somebody who was erased',
  made: 'Made {t}', reply: 'Take it up by {d}', due: 'Done by {d}', late: 'Overdue', taken: 'Taken up {t}', longer: 'Extended', done: 'Done {t}', refused: 'Refused {t}',
  take: 'Take it up', yes: 'Done', no: 'Refuse', more: 'Extend the time', erase: 'Erase this person', text: 'Answer to that person', textMust: 'Give the reason', sure: 'What is erased cannot be brought back: name, number, signed-in phones. The log stays whole.', send: 'Send', cancel: 'Cancel',
}
