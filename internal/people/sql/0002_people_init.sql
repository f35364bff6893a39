CREATE TABLE person (
  id          TEXT PRIMARY KEY,
  name        TEXT NOT NULL,
  phone       TEXT NOT NULL,    -- E.164, '' when unknown
  role        TEXT NOT NULL,    -- member, leader, deputy; desk, auditor, admin
  home        TEXT NOT NULL,    -- '' for an officer
  scope_group TEXT NOT NULL,    -- '' for an officer
  scope_unit  TEXT NOT NULL,    -- '' for a resident
  position    INTEGER NOT NULL  -- within the home, from 0, as the village file lists them
);
--;;
CREATE INDEX person_home ON person (home);
--;;
CREATE TABLE invite (
  hash       TEXT PRIMARY KEY,  -- hex SHA-256 of the code
  person     TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  expires_ms BIGINT NOT NULL,
  used_ms    BIGINT NOT NULL    -- 0 until it is used
);
--;;
CREATE INDEX invite_person ON invite (person);
--;;
CREATE TABLE session (
  hash       TEXT PRIMARY KEY,  -- hex SHA-256 of the secret in the cookie
  person     TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  began_ms   BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL
);
--;;
CREATE INDEX session_person ON session (person);
--;;
CREATE TABLE token (
  name       TEXT PRIMARY KEY,
  hash       TEXT NOT NULL UNIQUE, -- hex SHA-256 of the secret
  role       TEXT NOT NULL,
  scope      TEXT NOT NULL,        -- a unit's code or a group's id
  made_ms    BIGINT NOT NULL,
  revoked_ms BIGINT NOT NULL       -- 0 while it is good
);
