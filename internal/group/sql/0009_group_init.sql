-- Who was invited to found a group, until he has.
CREATE TABLE group_founder (
  person    TEXT PRIMARY KEY,
  unit      TEXT NOT NULL,
  at_ms     BIGINT NOT NULL,
  by_person TEXT NOT NULL
);
--;;
-- A group that its own people founded. What a village file brought has no row here.
CREATE TABLE group_founded (
  group_id  TEXT PRIMARY KEY,
  at_ms     BIGINT NOT NULL,
  by_person TEXT NOT NULL,
  key       TEXT NOT NULL    -- of the founder's outbox: the same act twice is one group
);
--;;
-- The rules of operation (quy chế), one row for each version, never changed.
CREATE TABLE group_charter (
  group_id  TEXT NOT NULL,
  version   INTEGER NOT NULL, -- from 1
  body      TEXT NOT NULL,
  at_ms     BIGINT NOT NULL,
  by_person TEXT NOT NULL,
  PRIMARY KEY (group_id, version)
);
--;;
-- One signature for each home and version. person becomes '' when he leaves: the
-- home has signed all the same.
CREATE TABLE group_signature (
  group_id TEXT NOT NULL,
  version  INTEGER NOT NULL,
  home     TEXT NOT NULL,
  person   TEXT NOT NULL,
  at_ms    BIGINT NOT NULL,
  PRIMARY KEY (group_id, version, home)
);
--;;
-- Who leads from which day until which day; both are days in Vietnam, '' for no end.
CREATE TABLE group_term (
  id        TEXT PRIMARY KEY,
  group_id  TEXT NOT NULL,
  person    TEXT NOT NULL,
  role      TEXT NOT NULL,   -- leader, deputy
  from_day  TEXT NOT NULL,   -- '2026-07-01', first day
  until_day TEXT NOT NULL,   -- first day on which it no longer holds, '' while open
  by_person TEXT NOT NULL,
  at_ms     BIGINT NOT NULL,
  ended_ms  BIGINT NOT NULL  -- 0 until it was ended early or ran out
);
--;;
CREATE INDEX group_term_group ON group_term (group_id);
--;;
-- One group asks another to be its neighbour; accepted, both stand in place_group.
CREATE TABLE group_neighbour (
  asker    TEXT NOT NULL,
  asked    TEXT NOT NULL,
  at_ms    BIGINT NOT NULL,
  by_person TEXT NOT NULL,
  PRIMARY KEY (asker, asked)
);
--;;
CREATE TABLE group_assembly (
  group_id TEXT PRIMARY KEY,
  text     TEXT NOT NULL,
  lat      DOUBLE PRECISION NOT NULL,
  lon      DOUBLE PRECISION NOT NULL,
  placed   INTEGER NOT NULL,
  at_ms    BIGINT NOT NULL
);
--;;
CREATE TABLE group_gear (
  id        TEXT PRIMARY KEY,
  group_id  TEXT NOT NULL,
  home      TEXT NOT NULL,   -- where it stands, '' for the group's own place
  kind      TEXT NOT NULL,   -- extinguisher, breaking_tool, ladder, key, first_aid, torch, other
  label     TEXT NOT NULL,   -- 'Bình bột 4 kg, cạnh cầu thang'
  expires   TEXT NOT NULL,   -- a day in Vietnam, '' when it does not expire
  reminded  TEXT NOT NULL,   -- the last reminder: '30', '7', '0' days before, '' for none
  at_ms     BIGINT NOT NULL,
  by_person TEXT NOT NULL
);
--;;
CREATE INDEX group_gear_group ON group_gear (group_id);
--;;
-- Given by the person himself, taken back in one tap.
CREATE TABLE group_skill (
  person TEXT NOT NULL,
  skill  TEXT NOT NULL,
  at_ms  BIGINT NOT NULL,
  PRIMARY KEY (person, skill)
);
--;;
-- A home's note for those who come to help. Sealed with the key beside the data;
-- the home's id is bound to it.
CREATE TABLE group_note (
  home      TEXT PRIMARY KEY,
  sealed    TEXT NOT NULL,   -- base64
  at_ms     BIGINT NOT NULL,
  by_person TEXT NOT NULL
);
--;;
-- Every opening of a note. The home reads it; that of a silent alarm once it is over.
CREATE TABLE group_opening (
  id        TEXT PRIMARY KEY,
  home      TEXT NOT NULL,
  incident  TEXT NOT NULL,
  person    TEXT NOT NULL,
  role      TEXT NOT NULL,
  at_ms     BIGINT NOT NULL,
  leaf      TEXT NOT NULL    -- of the log of who saw what, '' without one
);
--;;
CREATE INDEX group_opening_home ON group_opening (home, at_ms);
