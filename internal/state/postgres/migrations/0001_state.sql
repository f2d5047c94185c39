-- Texts that are sorted are so by bytes, as SQLite does, whatever the
-- database's language is.
CREATE TABLE apps (
    id         TEXT PRIMARY KEY,
    name       TEXT COLLATE "C" NOT NULL UNIQUE,
    owner      TEXT NOT NULL,
    idle       BIGINT NOT NULL, -- nanoseconds
    asleep     BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL -- microseconds since 1970, as everywhere
);

CREATE TABLE releases (
    app_id      TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    version     BIGINT NOT NULL,
    slug        TEXT NOT NULL,
    size        BIGINT NOT NULL,
    commit_id   TEXT NOT NULL,
    ref         TEXT NOT NULL,
    old_commit  TEXT NOT NULL,
    processes   TEXT NOT NULL,
    config      BYTEA NOT NULL, -- sealed
    language    TEXT NOT NULL,
    language_version TEXT NOT NULL,
    by_user     TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (app_id, version)
);

CREATE INDEX releases_by_commit ON releases (app_id, commit_id, version);

CREATE TABLE formations (
    app_id   TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    type     TEXT COLLATE "C" NOT NULL,
    quantity BIGINT NOT NULL,
    PRIMARY KEY (app_id, type)
);

CREATE TABLE domains (
    id         TEXT PRIMARY KEY,
    app_id     TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    hostname   TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE INDEX domains_by_app ON domains (app_id);

CREATE TABLE certs (
    id         TEXT PRIMARY KEY,
    app_id     TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    chain      TEXT NOT NULL,
    secret_key BYTEA NOT NULL, -- sealed
    created_at BIGINT NOT NULL
);

CREATE INDEX certs_by_app ON certs (app_id);

CREATE TABLE drains (
    id         TEXT PRIMARY KEY,
    app_id     TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    url        BYTEA NOT NULL, -- sealed
    token      TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX drains_by_app ON drains (app_id);

CREATE TABLE keys (
    fingerprint TEXT COLLATE "C" PRIMARY KEY,
    public      TEXT NOT NULL,
    comment     TEXT NOT NULL,
    by_user     TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);

-- Usage and audits outlive their apps: no references.
CREATE TABLE dyno_usage (
    account TEXT NOT NULL,
    month   TEXT NOT NULL,
    app_id  TEXT NOT NULL,
    seconds BIGINT NOT NULL,
    PRIMARY KEY (account, month, app_id)
);

CREATE TABLE audits (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      BIGINT NOT NULL,
    by_user TEXT NOT NULL,
    by_from TEXT NOT NULL,
    app     TEXT NOT NULL,
    action  TEXT NOT NULL,
    details TEXT NOT NULL
);

CREATE INDEX audits_by_app ON audits (app, id);

-- One row, sealed with the key of all secrets: another key is found out at once.
CREATE TABLE sealing (
    id    BIGINT PRIMARY KEY,
    probe BYTEA NOT NULL
);
