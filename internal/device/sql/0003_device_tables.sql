CREATE TABLE device_hub (
	username    TEXT PRIMARY KEY,
	salt        TEXT NOT NULL, -- hex
	hash        TEXT NOT NULL, -- hex HMAC-SHA256 of the password under salt
	webhook_key TEXT NOT NULL  -- hex; signatures of POST /v1/signal are checked with it
);
--;;
CREATE TABLE device (
	id                TEXT PRIMARY KEY,
	home_id           TEXT NOT NULL,
	kind              TEXT NOT NULL,
	dialect           TEXT NOT NULL,
	topic             TEXT NOT NULL,
	hub               TEXT NOT NULL, -- '' for a device with an account of its own, or none
	model             TEXT NOT NULL,
	username          TEXT NOT NULL, -- '' for a device that speaks through its hub
	salt              TEXT NOT NULL,
	hash              TEXT NOT NULL,
	secret            TEXT NOT NULL, -- key of an encrypted dialect (DC-09), as given
	armed             INTEGER NOT NULL, -- 1: a contact or motion sensor that rings
	category          TEXT    NOT NULL, -- which danger a button means, '' for what it says
	bypassed_until_ms BIGINT NOT NULL DEFAULT 0,
	bypassed_by       TEXT NOT NULL DEFAULT '' -- person or token
);
--;;
CREATE UNIQUE INDEX device_username ON device (username) WHERE username <> '';
--;;
CREATE TABLE device_state (
	device_id TEXT PRIMARY KEY,
	rev       BIGINT NOT NULL, -- an older one never overwrites a newer one
	seen_ms   BIGINT NOT NULL,
	proven_ms BIGINT NOT NULL,
	levels    TEXT NOT NULL, -- JSON array: property, whether at danger, key of its signal, ms
	presses   TEXT NOT NULL, -- JSON array: the last few presses
	rest      TEXT NOT NULL  -- JSON object: battery, faults, learned interval
);
--;;
CREATE TABLE device_ability (
	device_id    TEXT PRIMARY KEY,
	capabilities TEXT NOT NULL -- JSON, as discovery said it
);
--;;
CREATE TABLE device_found (
	hub     TEXT NOT NULL,
	dialect TEXT NOT NULL,
	topic   TEXT NOT NULL,
	name    TEXT NOT NULL,
	model   TEXT NOT NULL,
	kind    TEXT NOT NULL,
	at_ms   BIGINT NOT NULL,
	PRIMARY KEY (hub, dialect, topic)
);
--;;
CREATE TABLE device_unknown (
	hub     TEXT NOT NULL,
	topic   TEXT NOT NULL,
	payload TEXT NOT NULL, -- first 200 characters
	reason  TEXT NOT NULL,
	count   BIGINT NOT NULL,
	at_ms   BIGINT NOT NULL,
	PRIMARY KEY (hub, topic)
);
