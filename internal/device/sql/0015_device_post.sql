CREATE TABLE device_post (
	sign     TEXT PRIMARY KEY, -- hex HMAC of a signed message that came over HTTP
	hub      TEXT   NOT NULL,
	post_key TEXT   NOT NULL, -- its Idempotency-Key
	sum      TEXT   NOT NULL, -- hex SHA-256 of its body
	at_ms    BIGINT NOT NULL
);
