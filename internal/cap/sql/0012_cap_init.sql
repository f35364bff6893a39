CREATE TABLE cap_in (
	id       TEXT   PRIMARY KEY, -- of sender, identifier and time
	sender   TEXT   NOT NULL,
	sent_ms  BIGINT NOT NULL,
	status   TEXT   NOT NULL,
	msg_type TEXT   NOT NULL,
	at_ms    BIGINT NOT NULL,
	by_token TEXT   NOT NULL,
	shown    INTEGER NOT NULL, -- 1 when it became a notice
	groups   INTEGER NOT NULL  -- that got it
);
--;;
-- What a later message of the same sender replaced or cancelled, also before it came.
CREATE TABLE cap_over (
	id    TEXT   PRIMARY KEY,
	at_ms BIGINT NOT NULL
);
