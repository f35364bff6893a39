CREATE TABLE privacy_look (
	by_id    TEXT   NOT NULL,
	group_id TEXT   NOT NULL,
	hour_ms  BIGINT NOT NULL,
	PRIMARY KEY (by_id, group_id, hour_ms)
);
--;;
CREATE TABLE privacy_request (
	id        TEXT   PRIMARY KEY,
	person    TEXT   NOT NULL, -- '' once erased
	unit      TEXT   NOT NULL, -- of the commune whose officer answers
	kind      TEXT   NOT NULL, -- see, correct, export, delete, withdraw
	body      TEXT   NOT NULL, -- what is asked for, in the person's words; '' once erased
	made_ms   BIGINT NOT NULL,
	reply_ms  BIGINT NOT NULL, -- by when the person must hear that it is being dealt with
	due_ms    BIGINT NOT NULL, -- by when it must be done
	taken_ms  BIGINT NOT NULL, -- 0 until the person was told so
	longer_ms BIGINT NOT NULL, -- 0 until it was made longer, once
	ended_ms  BIGINT NOT NULL, -- 0 while it is open
	outcome   TEXT   NOT NULL, -- '', done, refused
	answer    TEXT   NOT NULL,
	by_id     TEXT   NOT NULL  -- who answered
);
--;;
CREATE INDEX privacy_request_unit ON privacy_request (unit, ended_ms, due_ms);
--;;
CREATE INDEX privacy_request_person ON privacy_request (person, made_ms);
