// Holds the types that the screens use against the server's own description of
// its answers (openapi.json, made by the program). Nothing imports this file: it
// is only compiled, and fails to when a screen expects what the server does not send.
import type { components } from './openapi'
import type { Inside, Letter, Note } from '../resident/inside'
import type { Device, Devices, Found, Group, Handover, Home, Incident, Reach, Unknown } from './types'

type Sent = components['schemas']

/** Compiles only when everything that is sent can be read as what is expected. */
type Reads<Expected, Sends extends Expected> = [Expected, Sends]

export type Contract = [
  Reads<Reach, Sent['ReachView']>, Reads<Incident, Sent['IncidentView']>, Reads<Group, Sent['GroupView']>, Reads<Home, Sent['HomeView']>, Reads<Handover, Sent['Handover']>,
  Reads<Devices, Sent['Equipment']>, Reads<Device, Sent['View']>, Reads<Found, Sent['Found']>, Reads<Unknown, Sent['Unknown']>,
  Reads<Inside, Sent['InsideView']>, Reads<Letter, Sent['InviteView']>, Reads<Note, Sent['NoteView']>,
]
