CREATE TABLE place_group (
  id            TEXT PRIMARY KEY,
  commune       TEXT NOT NULL,
  name          TEXT NOT NULL,
  neighbourhood TEXT NOT NULL,
  adjoining     TEXT NOT NULL, -- JSON array of group ids, as the village file names them
  plan          TEXT NOT NULL, -- JSON of slice alarm, '' for the defaults
  all_calm      TEXT NOT NULL  -- '22:00', '' when the group did not opt in
);
--;;
CREATE TABLE place_home (
  id       TEXT PRIMARY KEY,
  group_id TEXT NOT NULL REFERENCES place_group (id),
  position INTEGER NOT NULL, -- along the street, from 0
  name     TEXT NOT NULL,
  address  TEXT NOT NULL,
  lat      DOUBLE PRECISION NOT NULL, -- degrees, WGS 84; 0 when not placed
  lon      DOUBLE PRECISION NOT NULL,
  placed   INTEGER NOT NULL -- 1 when lat and lon are known
);
--;;
CREATE INDEX place_home_group ON place_home (group_id, position);
--;;
-- One row. Whoever changes the village (homes, members, devices) adds one to it
-- in the same transaction, so that every process knows to read again.
CREATE TABLE place_version (
  one     INTEGER PRIMARY KEY,
  version BIGINT NOT NULL
);
--;;
INSERT INTO place_version (one, version) VALUES (1, 1);
--;;
CREATE TABLE place_boundary (
  code     TEXT PRIMARY KEY, -- of a unit that is built in
  geometry TEXT NOT NULL     -- GeoJSON Polygon or MultiPolygon, WGS 84
);
