CREATE TABLE notify_message (
  key        TEXT PRIMARY KEY,   -- who, for what, by which channel, at which stage
  id         TEXT NOT NULL,      -- made of the key; how phones and gateways know it
  channel    TEXT NOT NULL,
  topic      TEXT NOT NULL,
  person     TEXT NOT NULL,
  state      TEXT NOT NULL,      -- queued, sent, accepted, failed, gone, withdrawn
  rank       INTEGER NOT NULL,
  made_ms    BIGINT NOT NULL,
  after_ms   BIGINT NOT NULL,    -- 0: at once
  until_ms   BIGINT NOT NULL,
  done_ms    BIGINT NOT NULL,    -- 0 while it goes on
  got_ms     BIGINT NOT NULL,    -- when the phone itself said that it has it; 0 until then
  tries      INTEGER NOT NULL,
  body       TEXT NOT NULL       -- JSON of what it says and to whom; '' once it is done
);
--;;
CREATE INDEX notify_message_open ON notify_message (made_ms) WHERE done_ms = 0;
--;;
CREATE UNIQUE INDEX notify_message_id ON notify_message (id);
--;;
CREATE INDEX notify_message_made ON notify_message (made_ms);
--;;
CREATE TABLE notify_attempt (
  message  TEXT NOT NULL,        -- its key
  n        INTEGER NOT NULL,     -- 1, 2, 3...
  at_ms    BIGINT NOT NULL,
  took_ms  BIGINT NOT NULL,
  outcome  TEXT NOT NULL,        -- a state; sent: it was tried again
  status   INTEGER NOT NULL,     -- of HTTP or SMTP, 0 for no answer
  PRIMARY KEY (message, n)
);
