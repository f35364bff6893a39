CREATE TABLE reach_phone (
  id        TEXT PRIMARY KEY,   -- made of the endpoint
  person    TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  endpoint  TEXT NOT NULL,      -- of the push service: as good as a telephone number
  p256dh    TEXT NOT NULL,      -- keys of the subscription, base64url
  auth      TEXT NOT NULL,
  lang      TEXT NOT NULL,      -- of what is said there
  label     TEXT NOT NULL,      -- "Samsung, Chrome", for its owner
  made_ms   BIGINT NOT NULL,
  asked_ms  BIGINT NOT NULL,    -- the last probe; 0 for none
  proven_ms BIGINT NOT NULL,    -- when a probe last arrived; 0 for never
  took_ms   BIGINT NOT NULL     -- how long that took
);
--;;
CREATE INDEX reach_phone_person ON reach_phone (person);
--;;
CREATE TABLE reach_wish (
  person     TEXT PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
  chat       INTEGER NOT NULL,  -- 1: push for messages of the group
  notices    INTEGER NOT NULL,  -- 1: push for notices
  quiet_from INTEGER NOT NULL,  -- minutes after midnight, local time; -1 for no quiet hours
  quiet_to   INTEGER NOT NULL,
  trouble    TEXT NOT NULL,     -- why a phone of his cannot take push, '' for nothing known
  trouble_ms BIGINT NOT NULL
);
