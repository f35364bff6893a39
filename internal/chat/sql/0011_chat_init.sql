CREATE TABLE chat_thread (
	group_id TEXT   PRIMARY KEY,
	rev      BIGINT NOT NULL -- number of the newest change
);
--;;
CREATE TABLE chat_message (
	id         TEXT    PRIMARY KEY, -- ULID
	deed       TEXT    NOT NULL UNIQUE, -- the same deed of the same person is the same message
	group_id   TEXT    NOT NULL,
	incident   TEXT    NOT NULL, -- '' when it belongs to none
	notice     TEXT    NOT NULL, -- '' unless it is a notice or a warning in this group
	kind       TEXT    NOT NULL,
	rev        BIGINT  NOT NULL, -- of its newest change, within its group
	at_ms      BIGINT  NOT NULL,
	by_person  TEXT    NOT NULL,
	by_token   TEXT    NOT NULL,
	by_role    TEXT    NOT NULL,
	by_home    TEXT    NOT NULL,
	title      TEXT    NOT NULL,
	body       TEXT    NOT NULL,
	level      TEXT    NOT NULL, -- of a warning: extreme, severe, moderate, minor
	expires_ms BIGINT  NOT NULL, -- 0: never
	blob       TEXT    NOT NULL, -- '' when there is no file
	media      TEXT    NOT NULL,
	size       BIGINT  NOT NULL,
	width      INTEGER NOT NULL,
	height     INTEGER NOT NULL,
	seconds    INTEGER NOT NULL,
	removed    TEXT    NOT NULL, -- '', author, leader or desk
	removed_ms BIGINT  NOT NULL
);
--;;
CREATE INDEX chat_message_group ON chat_message (group_id, rev);
--;;
CREATE INDEX chat_message_incident ON chat_message (incident, rev);
--;;
CREATE INDEX chat_message_notice ON chat_message (notice);
--;;
CREATE INDEX chat_message_at ON chat_message (at_ms);
--;;
CREATE INDEX chat_message_blob ON chat_message (blob);
--;;
-- Who has seen an announcement or a notice: counted, never shown by name.
CREATE TABLE chat_seen (
	message TEXT NOT NULL REFERENCES chat_message (id) ON DELETE CASCADE,
	person  TEXT NOT NULL,
	PRIMARY KEY (message, person)
);
--;;
CREATE TABLE chat_notice (
	id           TEXT   PRIMARY KEY,
	deed         TEXT   NOT NULL UNIQUE,
	kind         TEXT   NOT NULL, -- notice or warning
	unit         TEXT   NOT NULL,
	at_ms        BIGINT NOT NULL,
	by_person    TEXT   NOT NULL,
	by_token     TEXT   NOT NULL,
	title        TEXT   NOT NULL,
	body         TEXT   NOT NULL,
	level        TEXT   NOT NULL,
	expires_ms   BIGINT NOT NULL,
	withdrawn_ms BIGINT NOT NULL
);
--;;
CREATE INDEX chat_notice_unit ON chat_notice (unit, at_ms);
--;;
-- An officer who reads the thread of an open incident.
CREATE TABLE chat_window (
	incident TEXT   NOT NULL,
	reader   TEXT   NOT NULL,
	from_ms  BIGINT NOT NULL,
	last_ms  BIGINT NOT NULL,
	PRIMARY KEY (incident, reader, from_ms)
);
--;;
-- Files of messages that are gone, until they are deleted too.
CREATE TABLE chat_drop (
	blob TEXT PRIMARY KEY
);
