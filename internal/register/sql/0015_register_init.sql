CREATE TABLE register_import (
  id        TEXT PRIMARY KEY,
  unit      TEXT NOT NULL,
  at_ms     BIGINT NOT NULL,
  by_actor  TEXT NOT NULL,
  file      TEXT NOT NULL,    -- its name, without folders
  rows_read INTEGER NOT NULL,
  undone_ms BIGINT NOT NULL   -- 0 until it is taken back
);
--;;
-- What an import made or changed, until it is undone or 30 days old. now is a
-- digest: enough to know whether somebody touched it.
CREATE TABLE register_made (
  import_id TEXT NOT NULL REFERENCES register_import (id),
  kind      TEXT NOT NULL,    -- group, home, person
  id        TEXT NOT NULL,
  was       TEXT NOT NULL,    -- JSON of what it was, '' when the import made it
  now       TEXT NOT NULL,
  PRIMARY KEY (import_id, kind, id)
);
