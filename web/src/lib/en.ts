import type { Key } from './vi'
export const en: Record<Key, string> = {
  fire: 'Fire', gas: 'Gas leak', co: 'Carbon monoxide', intrusion: 'Intruder', holdup: 'Hold-up', medical: 'Medical', panic: 'Emergency', flood: 'Flooding', technical: 'Technical fault', other: 'Other emergency',
  live: 'Real alarm', drill: 'Drill', test: 'Bell test',
  safe: 'Safe', coming: 'Coming', need_help: 'Needs help', away: 'Away', cannot_help: 'Cannot come', alarm: 'Alarm',
  no_contact: 'Not reached yet', device_sounding: 'Bell is sounding', phone_received: 'Phone has it', answered: 'Answered',
  unacknowledged: 'Nobody has taken it', acknowledged: 'Taken', attended: 'Someone is on the spot', under_control: 'Under control',
  cause_real: 'It really happened', cause_mistaken_alarm: 'Raised by mistake', cause_nuisance: 'Cooking smoke, steam, an insect', cause_test: 'Bell test', cause_drill: 'Drill', cause_false_report: 'False report', cause_unknown: 'Cause not known', cause_duplicate: 'Same as another incident',
  green: 'Ready', amber: 'Needs a look', red: 'Cannot hear an alarm',
  member: 'Member', leader: 'Leader', deputy: 'Deputy', desk: 'Duty desk', auditor: 'Auditor', admin: 'Administrator',
  police: 'Police', fire_rescue: 'Fire and rescue', ambulance: 'Ambulance', disaster: 'Disaster, search and rescue', child: 'Child protection', call: 'Call {n}',
  online: 'Ready', connecting: 'Connecting', offline: 'Connection lost', lostTitle: 'Connection to the server lost', lostSince: 'What you see is from {t}. Reconnecting by itself.',
  waiting: '{n:message|messages} not sent yet. They go out when there is a network.', dismiss: 'Understood',
  refusedPlain: 'The server refused this (code {n}).', expired: 'Could not be sent within {n} s, so it was dropped. Try again with a network.', signedOut: 'This phone is signed out. Sign in again to send.',
  secondsAgo: '{n} s ago', minutesAgo: '{n} min ago', hoursAgo: '{n} h ago', afterSeconds: 'after {n} s', afterMinutes: 'after {n} min',
  kind_button: 'Alarm button', kind_smoke: 'Smoke detector', kind_heat: 'Heat detector', kind_gas: 'Gas detector', kind_co: 'CO detector', kind_water: 'Water sensor', kind_contact: 'Door sensor', kind_motion: 'Motion sensor', kind_tamper: 'Tamper switch', kind_siren: 'Siren', kind_lamp: 'Lamp', kind_hub: 'Hub', kind_phone: 'Phone',
  dev_ok: 'Good', dev_late: 'Late', dev_offline: 'Offline', dev_faulty: 'Faulty', dev_low_battery: 'Low battery', dev_tamper: 'Opened', dev_unproven: 'Not proven', dev_bypassed: 'Bypassed',
  you: 'You', close: 'Close', cancel: 'Cancel',
}
