ALTER TABLE session ADD COLUMN device TEXT NOT NULL DEFAULT '';   -- "Chrome, Android"
--;;
ALTER TABLE session ADD COLUMN way TEXT NOT NULL DEFAULT '';      -- invite, passkey, phrase, province, demo; '' from before this was kept
--;;
ALTER TABLE session ADD COLUMN used_ms BIGINT NOT NULL DEFAULT 0; -- last use, to the hour or better
--;;
ALTER TABLE session ADD COLUMN ends_ms BIGINT NOT NULL DEFAULT 0; -- however much it is used; 0 for never
--;;
ALTER TABLE invite ADD COLUMN again BIGINT NOT NULL DEFAULT 0;    -- 1: using it ends what the person had before
--;;
ALTER TABLE token ADD COLUMN expires_ms BIGINT NOT NULL DEFAULT 0; -- 0 for never
--;;
ALTER TABLE token ADD COLUMN reads BIGINT NOT NULL DEFAULT 0;      -- 1: reads and never acts
--;;
CREATE TABLE new_phone (
  person TEXT PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
  at_ms  BIGINT NOT NULL -- when somebody came back with a new invite
);
--;;
CREATE TABLE renewal (
  id         TEXT PRIMARY KEY,
  person     TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE, -- the officer who has lost his keys
  asked_by   TEXT NOT NULL,   -- the colleague who asked
  asked_ms   BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  agreed_by  TEXT NOT NULL,   -- the other colleague; '' while none has agreed
  agreed_ms  BIGINT NOT NULL
);
--;;
CREATE INDEX renewal_person ON renewal (person);
