-- "user" is a word of its own to PostgreSQL: the queries are the same for both.
ALTER TABLE releases RENAME COLUMN user TO by_user;
ALTER TABLE keys RENAME COLUMN user TO by_user;

ALTER TABLE apps ADD COLUMN idle INTEGER NOT NULL DEFAULT 0; -- nanoseconds
ALTER TABLE apps ADD COLUMN asleep INTEGER NOT NULL DEFAULT 0;

ALTER TABLE releases ADD COLUMN config BLOB NOT NULL DEFAULT x''; -- sealed

CREATE TABLE formations (
    app_id   TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    type     TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (app_id, type)
) STRICT, WITHOUT ROWID;

CREATE TABLE domains (
    id         TEXT PRIMARY KEY,
    app_id     TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    hostname   TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX domains_by_app ON domains (app_id);

CREATE TABLE certs (
    id         TEXT PRIMARY KEY,
    app_id     TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    chain      TEXT NOT NULL,
    secret_key BLOB NOT NULL, -- sealed
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX certs_by_app ON certs (app_id);

CREATE TABLE drains (
    id         TEXT PRIMARY KEY,
    app_id     TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    url        BLOB NOT NULL, -- sealed
    token      TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX drains_by_app ON drains (app_id);

-- Usage and audits outlive their apps: no references.
CREATE TABLE dyno_usage (
    account TEXT NOT NULL,
    month   TEXT NOT NULL,
    app_id  TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    PRIMARY KEY (account, month, app_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE audits (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    by_user TEXT NOT NULL,
    by_from TEXT NOT NULL,
    app     TEXT NOT NULL,
    action  TEXT NOT NULL,
    details TEXT NOT NULL
) STRICT;

CREATE INDEX audits_by_app ON audits (app, id);

-- One row, sealed with the key of all secrets: another key is found out at once.
CREATE TABLE sealing (
    id    INTEGER PRIMARY KEY,
    probe BLOB NOT NULL
) STRICT;
