ALTER TABLE apps ADD COLUMN maintenance BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE apps ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE apps ADD COLUMN released_at BIGINT NOT NULL DEFAULT 0; -- 0: never

UPDATE apps SET released_at = coalesce((SELECT max(created_at) FROM releases WHERE app_id = apps.id), 0);
UPDATE apps SET updated_at = CASE WHEN released_at > created_at THEN released_at ELSE created_at END;

-- A page of somebody's apps, by either order.
CREATE INDEX apps_by_owner ON apps (owner, name);
CREATE INDEX apps_by_owner_id ON apps (owner, id);

CREATE TABLE accounts (
    id         TEXT PRIMARY KEY,
    email      TEXT COLLATE "C" NOT NULL UNIQUE,
    admin      BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

-- The administrator of the first token has no account: no references.
CREATE TABLE tokens (
    id          TEXT PRIMARY KEY,
    by_user     TEXT NOT NULL,
    description TEXT NOT NULL,
    hash        TEXT NOT NULL UNIQUE,
    hint        TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL -- 0: never
);

CREATE INDEX tokens_by_user ON tokens (by_user, created_at);

CREATE INDEX keys_by_user ON keys (by_user, created_at);

CREATE TABLE collaborators (
    app_id     TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    email      TEXT COLLATE "C" NOT NULL REFERENCES accounts (email) ON DELETE CASCADE,
    id         TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (app_id, email)
);

CREATE INDEX collaborators_by_email ON collaborators (email, app_id);

CREATE TABLE builds (
    id         TEXT PRIMARY KEY,
    app_id     TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    commit_id  TEXT NOT NULL,
    ref        TEXT NOT NULL,
    status     TEXT NOT NULL,
    by_user    TEXT NOT NULL,
    slug       TEXT NOT NULL,
    version    BIGINT NOT NULL, -- of the release; 0: none
    source     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX builds_by_app ON builds (app_id, created_at, id);
CREATE INDEX builds_pending ON builds (status) WHERE status = 'pending';
