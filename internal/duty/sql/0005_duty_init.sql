CREATE TABLE duty_handover (
	id      TEXT   PRIMARY KEY,
	unit    TEXT   NOT NULL,
	at_ms   BIGINT NOT NULL,
	by_name TEXT   NOT NULL,
	body    TEXT   NOT NULL
);
--;;
CREATE INDEX duty_handover_unit ON duty_handover (unit, at_ms);
