ALTER TABLE apps ADD COLUMN maintenance INTEGER NOT NULL DEFAULT 0;
ALTER TABLE apps ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE apps ADD COLUMN released_at INTEGER NOT NULL DEFAULT 0; -- 0: never

UPDATE apps SET released_at = coalesce((SELECT max(created_at) FROM releases WHERE app_id = apps.id), 0);
UPDATE apps SET updated_at = CASE WHEN released_at > created_at THEN released_at ELSE created_at END;

-- A page of somebody's apps, by either order.
CREATE INDEX apps_by_owner ON apps (owner, name);
CREATE INDEX apps_by_owner_id ON apps (owner, id);

CREATE TABLE accounts (
    id         TEXT PRIMARY KEY,
    email      TEXT NOT NULL UNIQUE,
    admin      INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- The administrator of the first token has no account: no references.
CREATE TABLE tokens (
    id          TEXT PRIMARY KEY,
    by_user     TEXT NOT NULL,
    description TEXT NOT NULL,
    hash        TEXT NOT NULL UNIQUE,
    hint        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL -- 0: never
) STRICT;

CREATE INDEX tokens_by_user ON tokens (by_user, created_at);

CREATE INDEX keys_by_user ON keys (by_user, created_at);

CREATE TABLE collaborators (
    app_id     TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    email      TEXT NOT NULL REFERENCES accounts (email) ON DELETE CASCADE,
    id         TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (app_id, email)
) STRICT, WITHOUT ROWID;

CREATE INDEX collaborators_by_email ON collaborators (email, app_id);

CREATE TABLE builds (
    id         TEXT PRIMARY KEY,
    app_id     TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    commit_id  TEXT NOT NULL,
    ref        TEXT NOT NULL,
    status     TEXT NOT NULL,
    by_user    TEXT NOT NULL,
    slug       TEXT NOT NULL,
    version    INTEGER NOT NULL, -- of the release; 0: none
    source     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX builds_by_app ON builds (app_id, created_at, id);
CREATE INDEX builds_pending ON builds (status) WHERE status = 'pending';
