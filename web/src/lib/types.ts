// The shapes that the server sends. Times are RFC 3339 UTC with milliseconds.

export type Lang = 'vi' | 'en'
export type Role = 'member' | 'leader' | 'deputy' | 'desk' | 'auditor' | 'admin' | 'chief' | 'head' | 'team' | 'mediator' | 'elder' | 'steering' | 'viewer'
export type Category = 'fire' | 'gas' | 'co' | 'intrusion' | 'holdup' | 'medical' | 'panic' | 'flood' | 'technical' | 'other'
export type Mode = 'live' | 'drill' | 'test'
export type Condition = 'pre_alarm' | 'active' | 'returned'
export type Annunciation = 'off' | 'sounding' | 'silenced' | 'ended'
export type Response = 'unacknowledged' | 'acknowledged' | 'attended' | 'under_control'
export type Cause = 'real' | 'mistaken_alarm' | 'nuisance' | 'test' | 'drill' | 'false_report' | 'unknown' | 'duplicate'
export type Contact = 'no_contact' | 'device_sounding' | 'phone_received' | 'answered'
export type Answer = 'safe' | 'coming' | 'need_help' | 'away' | 'cannot_help'
export type Readiness = 'green' | 'amber' | 'red'
export type Tone = 'alarm' | 'help' | 'coming' | 'safe' | 'info'
export type Args = Record<string, unknown>

export interface Me { person: string; name: string; role: Role; home: string; group: string; unit: string; unit_name: string }
export interface Reason { key: string; args?: Args }
export interface EmergencyNumber { number: string; name_key: string }

export interface Home {
  id: string; name: string; address: string; lat: number; lon: number; placed: boolean; phone?: string
  state: Readiness; reason: Reason; siren: boolean; button: boolean
  screens: number // phones of this home that are connected now
}

export interface Group {
  id: string; name: string; neighbourhood: string; commune: string; commune_name: string; province_name?: string
  leader: { name: string; phone: string }; homes: Home[]; readiness: Record<Readiness, number>
  found?: number // devices that spoke and belong to no home; leader and desk only
  unknown?: number // messages that nobody understood; leader and desk only
}

export interface Origin { home: string; device: string; device_kind: string; at: string; person: string }
export interface PersonAnswer { person: string; name: string; answer: Answer | ''; at: string }

export interface Roll {
  home: string; contact: Contact; answer: Answer | ''; ladder: number; at: string | null; by: string; on_behalf: boolean
  seconds: number | null // from opening to the answer, or without one to the first sign of life
  knock?: boolean // those coming were asked to knock here
  delivery?: '' | 'none' | 'called' | 'accepted' | 'received' | 'failed' // what is known of the calls to its phones
  people: PersonAnswer[]; siren: { total: number; sounding: number; accepted: number; silent: number }
}

export interface TimelineEntry { at: string; key: string; home: string; by: string; args?: Args; tone: Tone }

export interface Incident {
  id: string; code?: string; version: number; group: string; category: Category; mode: Mode; silent: boolean; opened_at: string
  condition: Condition; annunciation: Annunciation; response: Response
  closed: { at: string; cause: Cause; by: string; note: string } | null
  spreading: boolean; origins: Origin[]
  acknowledged: { by: string; role: string; at: string } | null
  silences: { home: string; until: string }[] // home "" is the whole group
  mistake: { by: string; home: string; at: string } | null
  homes: Roll[]; coming: number; heard: number; need_help: number
  next: { key: string; at: string } | null
  previous?: string // the same danger, closed less than 30 minutes before
  province?: boolean // the province's duty officer was told
  desk_sound: boolean; timeline: TimelineEntry[]
}

export interface Health {
  journal: { ok: boolean; since: string | null; waiting: number; set_aside?: number }
  clock: { ok: boolean; jumped_seconds: number }
  audit: { at: string; ok: boolean; violations: { rule: string; group: string; incident: string; text_key: string }[] | null }
  devices: { online: number; offline: number; total: number }
  mqtt: { clients: number }
  hubs: { hub: string; online: boolean; since: string | null }[] | null
}

export interface State {
  now: string
  seq: string // place in the stream from which this state goes on
  version: string; me: Me; demo: boolean; lang: Lang; numbers: EmergencyNumber[]; groups: Group[]; incidents: Incident[]
  health: Health | null; map: { style_url: string; has_boundaries: boolean }
}

export type DeviceState = 'ok' | 'late' | 'offline' | 'faulty' | 'low_battery' | 'tamper' | 'unproven' | 'bypassed'

export interface Device {
  id: string; home: string; kind: string; dialect: string; topic: string; hub: string; model: string; state: DeviceState; reason: Reason
  battery: number | null; seen_at: string | null; proven_at: string | null; bypassed_until: string | null
}

export interface Found { hub: string; dialect: string; topic: string; name: string; model: string; kind: string; at: string }
export interface Unknown { hub: string; topic: string; payload: string; reason: string; count: number; at: string }
export interface Devices { devices: Device[]; found: Found[]; unknown: Unknown[] }
export interface Handover { id: string; at: string; by: string; text: string }

// Problem is RFC 9457; detail is a sentence in the person's language.
export interface Problem { status: number; title: string; detail?: string; key?: string }

export interface ReachPhone { id: string; label: string; state: 'new' | 'asking' | 'proven' | 'deaf' | 'overdue'; seconds: number | null; asked_at: string | null; proven_at: string | null }
export interface Wish { chat: boolean; notices: boolean; quiet_from: number; quiet_to: number }
export interface Reach { key: string; sms: boolean; voice: boolean; phones: ReachPhone[]; wish: Wish }
