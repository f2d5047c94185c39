-- What an app was set to be built with. The names are a JSON list, an empty one
-- says when that was taken back. Addresses may have secrets in them.
CREATE TABLE buildpacks (
    app_id TEXT PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
    names  BLOB NOT NULL, -- sealed
    set_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
