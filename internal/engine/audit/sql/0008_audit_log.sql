CREATE TABLE audit_leaf (
  n    BIGINT PRIMARY KEY, -- place in the log, from 0, without a gap
  body TEXT   NOT NULL     -- JSON, byte for byte what is hashed
);
--;;
CREATE TABLE audit_hash (
  n    BIGINT PRIMARY KEY, -- as golang.org/x/mod/sumdb/tlog numbers stored hashes
  hash BYTEA  NOT NULL     -- 32 bytes
);
--;;
CREATE TABLE audit_key (
  id  TEXT  PRIMARY KEY,   -- person/<id>, group/<id>, token/<name>
  key BYTEA NOT NULL       -- 32 random bytes; deleted when the person is erased
);
--;;
CREATE TABLE audit_act (
  n     BIGINT PRIMARY KEY, -- of its leaf
  at_ms BIGINT NOT NULL,
  name  TEXT   NOT NULL,
  by_id TEXT   NOT NULL,    -- '' for nobody, or erased
  on_id TEXT   NOT NULL,    -- '' for nothing, or erased
  body  TEXT   NOT NULL,    -- JSON; '' for none, or erased
  key   BYTEA               -- of this entry; NULL when erased
);
--;;
CREATE INDEX audit_act_by ON audit_act (by_id);
--;;
CREATE INDEX audit_act_on ON audit_act (on_id);
--;;
CREATE TABLE audit_of (
  person TEXT   NOT NULL,
  n      BIGINT NOT NULL,
  PRIMARY KEY (person, n)
);
--;;
CREATE INDEX audit_of_n ON audit_of (n);
