import type { Key } from './roles.vi'
export const en: Record<Key, string> = {
  title: 'Roles', sub: "An officer's role needs two: one proposes, another confirms, and one of them is the chief. Everything done here is on record.", loading: 'Loading…', fail: 'Could not be loaded. The server does not answer.', again: 'Try again',
  waits: 'Waiting for a second person', held: 'Held now', noWaits: 'No proposal waits.', noHeld: 'Nobody holds a role here yet.',
  chief: 'Commune police chief', desk: 'Police duty desk', head: 'Neighbourhood head', team: 'Security team', mediator: 'Mediator', elder: 'Clan elder', steering: 'Steering committee', viewer: 'Province viewer', auditor: 'Auditor', admin: 'Server administrator', leader: 'Group leader', deputy: 'Deputy leader',
  by: '{who} proposed {t}', byVillage: 'from the village list', byCommand: 'made at the server', byGroup: 'chosen by the group', until: 'until {d}', open: 'until ended',
  confirm: 'Confirm', refuse: 'Do not agree', end: 'End', sure: 'End it now? The right is gone at once.', yes: 'End it now', cancel: 'Cancel',
  give: 'Propose a role', who: 'For whom', find: 'Type a name, at least two letters', search: 'Search', none: 'Nobody was found. Type it another way.', role: 'Role', area: 'Name of the neighbourhood', term: 'Until (empty for no end)', send: 'Send the proposal', sent: 'Sent. Somebody else has to confirm it.', choose: 'Choose somebody first.', chosen: 'Chosen: {who}', other: 'Choose somebody else',
}
