CREATE TABLE apps (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    owner      TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE releases (
    app_id      TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    version     INTEGER NOT NULL,
    slug        TEXT NOT NULL,
    size        INTEGER NOT NULL,
    commit_id   TEXT NOT NULL,
    ref         TEXT NOT NULL,
    old_commit  TEXT NOT NULL,
    processes   TEXT NOT NULL,
    language    TEXT NOT NULL,
    language_version TEXT NOT NULL,
    user        TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (app_id, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX releases_by_commit ON releases (app_id, commit_id, version);

CREATE TABLE keys (
    fingerprint TEXT PRIMARY KEY,
    public      TEXT NOT NULL,
    comment     TEXT NOT NULL,
    user        TEXT NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
