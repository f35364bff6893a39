CREATE TABLE duty_shift (
	id         TEXT   PRIMARY KEY,
	unit       TEXT   NOT NULL,
	person     TEXT   NOT NULL,
	from_ms    BIGINT NOT NULL, -- as planned
	until_ms   BIGINT NOT NULL,
	planned_by TEXT   NOT NULL,
	taken_ms   BIGINT NOT NULL, -- 0 until he is on
	handed_ms  BIGINT NOT NULL, -- 0 until he handed over
	dropped_ms BIGINT NOT NULL  -- 0 unless it was taken out of the rota
);
--;;
CREATE INDEX duty_shift_unit ON duty_shift (unit, from_ms);
--;;
CREATE TABLE duty_read (
	handover TEXT   NOT NULL REFERENCES duty_handover (id) ON DELETE CASCADE,
	person   TEXT   NOT NULL,
	at_ms    BIGINT NOT NULL,
	PRIMARY KEY (handover, person)
);
--;;
ALTER TABLE duty_handover ADD COLUMN by_person TEXT NOT NULL DEFAULT '';
