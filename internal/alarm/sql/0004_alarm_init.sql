CREATE TABLE alarm_event (
	group_id    TEXT   NOT NULL,
	n           BIGINT NOT NULL,
	incident_id TEXT   NOT NULL,
	at_ms       BIGINT NOT NULL,
	kind        TEXT   NOT NULL,
	press_key   TEXT   NOT NULL,
	body        TEXT   NOT NULL,
	chain       TEXT   NOT NULL,
	PRIMARY KEY (group_id, n)
);
--;;
CREATE INDEX alarm_event_at ON alarm_event (at_ms);
--;;
CREATE INDEX alarm_event_incident ON alarm_event (incident_id);
--;;
CREATE TABLE alarm_incident (
	id        TEXT   PRIMARY KEY,
	group_id  TEXT   NOT NULL,
	number    BIGINT NOT NULL,
	mode      TEXT   NOT NULL,
	opened_ms BIGINT NOT NULL,
	closed_ms BIGINT,
	version   BIGINT NOT NULL,
	body      TEXT   NOT NULL
);
--;;
CREATE INDEX alarm_incident_open ON alarm_incident (group_id, closed_ms);
