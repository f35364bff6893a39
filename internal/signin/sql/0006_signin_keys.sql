CREATE TABLE passkey (
  id      TEXT PRIMARY KEY, -- the credential's, base64url
  person  TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  name    TEXT NOT NULL,    -- of the device, as its owner calls it
  data    TEXT NOT NULL,    -- public key, counter and flags, JSON
  made_ms BIGINT NOT NULL,
  used_ms BIGINT NOT NULL   -- 0 until it is used
);
--;;
CREATE INDEX passkey_person ON passkey (person);
--;;
CREATE TABLE phrase (
  card    TEXT PRIMARY KEY,     -- eight digits
  person  TEXT NOT NULL UNIQUE REFERENCES person (id) ON DELETE CASCADE,
  salt    TEXT NOT NULL,        -- base64url
  hash    TEXT NOT NULL,        -- of one half of what Argon2id makes of the phrase
  code    TEXT NOT NULL,        -- an officer's secret for codes, sealed with the other half; '' for a resident
  step    BIGINT NOT NULL,      -- of the last code that was used
  made_ms BIGINT NOT NULL,
  used_ms BIGINT NOT NULL       -- 0 until it is used
);
--;;
CREATE TABLE province_link (
  issuer  TEXT NOT NULL,
  subject TEXT NOT NULL,
  person  TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  made_ms BIGINT NOT NULL,
  used_ms BIGINT NOT NULL,
  PRIMARY KEY (issuer, subject)
);
--;;
CREATE INDEX province_link_person ON province_link (person);
