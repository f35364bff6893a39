CREATE TABLE alarm_open (
	incident_id TEXT PRIMARY KEY, -- open, or closed a moment ago
	group_id    TEXT   NOT NULL,
	n           BIGINT NOT NULL -- place of its first event
);
--;;
INSERT INTO alarm_open (incident_id, group_id, n)
	SELECT e.incident_id, e.group_id, min(e.n) FROM alarm_event e
	LEFT JOIN alarm_incident i ON i.id = e.incident_id
	WHERE e.incident_id <> '' AND i.closed_ms IS NULL
	GROUP BY e.incident_id, e.group_id;
--;;
CREATE INDEX alarm_incident_unclosed ON alarm_incident (id) WHERE closed_ms IS NULL;
--;;
CREATE INDEX alarm_incident_number ON alarm_incident (number);
--;;
CREATE TABLE alarm_aside (
	group_id    TEXT   NOT NULL,
	incident_id TEXT   NOT NULL,
	at_ms       BIGINT NOT NULL,
	kind        TEXT   NOT NULL,
	reason      TEXT   NOT NULL, -- why the database refused it
	body        TEXT   NOT NULL  -- the event, JSON
);
