-- Every role but a resident's own home: for whom, where, from when to when, by whom.
-- person.role stays as what he was entered as, by a village file or a command.
CREATE TABLE people_grant (
  id            TEXT PRIMARY KEY,
  person        TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  role          TEXT NOT NULL,
  unit          TEXT NOT NULL,    -- '' when group_id is set
  neighbourhood TEXT NOT NULL,    -- of unit; '' for all of it
  group_id      TEXT NOT NULL,    -- '' when unit is set
  from_ms       BIGINT NOT NULL,
  until_ms      BIGINT NOT NULL,  -- 0 until it is ended
  state         TEXT NOT NULL,    -- proposed, held, refused, ended
  proposed_by   TEXT NOT NULL,    -- a person's id; village, command or upgrade
  as_chief      INTEGER NOT NULL, -- 1 when he was chief there
  proposed_ms   BIGINT NOT NULL,
  decided_by    TEXT NOT NULL,    -- who confirmed or refused; '' while it waits, or when one was enough
  decided_ms    BIGINT NOT NULL,
  ended_by      TEXT NOT NULL,
  ended_ms      BIGINT NOT NULL
);
--;;
CREATE INDEX people_grant_person ON people_grant (person);
--;;
CREATE INDEX people_grant_place ON people_grant (unit, group_id);
--;;
CREATE TABLE people_version (
  one     INTEGER PRIMARY KEY,
  version BIGINT NOT NULL         -- grows with every change of a grant
);
--;;
INSERT INTO people_version (one, version) VALUES (1, 1);
--;;
INSERT INTO people_grant (id, person, role, unit, neighbourhood, group_id, from_ms, until_ms, state, proposed_by, as_chief, proposed_ms, decided_by, decided_ms, ended_by, ended_ms)
SELECT 'g-' || id, id, role, scope_unit, '', scope_group, 0, 0, 'held', 'upgrade', 0, 0, '', 0, '', 0 FROM person WHERE role <> 'member';
