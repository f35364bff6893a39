import type { vi } from './register.vi'

export const en: Record<keyof typeof vi, string> = {
  title: 'List of households; inviting founders', sub: 'Take the list of households that your commune keeps (Excel .xlsx). Check it first: every wrong row is named.', file: 'The list (.xlsx)', check: 'Check', take: 'Take the list', busy: 'Working…', again: 'Choose another file',
  refused: 'Nothing was taken. Mend these rows and choose the file again:', row: 'Row {row}, column {column}', whole: 'The whole file', ignored: 'Columns not used: {list}', would: 'It would do:', did: 'Taken:', same: 'Nothing changes.', tally: '{what}: {a} added, {c} changed, {u} unchanged', groups: 'Groups', homes: 'Homes', people: 'People', more: 'There are more; mend these {n} first.',
  past: 'Imports', none: 'None so far.', line: '{t}, {file}, {n:row|rows}', undo: 'Take back', undone: 'taken back', late: 'more than 30 days ago', undid: 'Taken back.', kept: 'Stays, because somebody changed or uses it: {list}.',
  export: 'Write the list (.xlsx)', exportSub: 'Everybody in the list can see that you took it.', fail: 'That did not work. The server does not answer.',
  founder: 'Invite somebody to found a group', founderSub: 'They found it on their own phone.', name: 'Full name', make: 'Make the invite', letter: 'Let {name} scan this, or type {code} at the sign-in page. Good once, until {t}.', done: 'Done',
  notes: 'Notes the homes left', notesSub: 'The home sees your name and the time.', open: 'Open the note: {home}', openThis: 'Open the note of this home',
}
