import type { vi } from './device.vi'
export const en: Record<keyof typeof vi, string> = {
  'device.ok': 'Good', 'device.bypassed': 'Bypassed until {until}', 'device.offline': 'Offline for {span}. Check power or battery.', 'device.hub_offline': 'Hub {hub} offline for {span}. Check its power and network.', 'device.never_seen': 'Never online. Check its name and topic.',
  'device.cannot_command': 'No way known to command this siren. Tell whoever installed it.', 'device.alarm_missed': 'An alarm at {at} did not reach the server. Ask them now.', 'device.fault': 'It reports a fault: {text}. Repair or replace it.', 'device.alarm_standing': 'Does not stop alarming. Clean or replace it.', 'device.tamper': 'Was opened. Close it.',
  'device.low_battery': '{percent}% battery. Replace it.', 'device.battery_empty': 'Battery nearly empty. Replace it.', 'device.late': 'Silent longer than usual. Keep an eye on it.', 'device.unproven': 'Not tested for {days:day|days}. Run a bell test.', 'device.never_proven': 'Never tested. Run a bell test.',
}
