-- The state (aggregate, index_entry, material) and the log of the changes that made it (change).
-- Bodies, materials and after-images are sealed before they come here; no migration needs a key.

-- "KEYS": a database of another program is never migrated by mistake.
PRAGMA application_id = 0x4b455953;

CREATE TABLE schema_version (
    version INTEGER PRIMARY KEY CHECK (version >= 1)
) STRICT;

CREATE TABLE aggregate (
    kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 65535),
    id BLOB NOT NULL CHECK (length(id) = 16),
    tenant BLOB NOT NULL CHECK (length(tenant) = 16),
    revision INTEGER NOT NULL CHECK (revision >= 1),
    commit_seq INTEGER NOT NULL CHECK (commit_seq >= 1),
    body BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;

-- Every index that exists is unique, so its number and the value name one row.
CREATE TABLE index_entry (
    index_number INTEGER NOT NULL CHECK (index_number BETWEEN 1 AND 255),
    value BLOB NOT NULL,
    kind INTEGER NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (index_number, value),
    FOREIGN KEY (kind, id) REFERENCES aggregate (kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX index_entry_by_aggregate ON index_entry (kind, id);

CREATE TABLE material (
    version BLOB NOT NULL CHECK (length(version) = 8),
    sealed BLOB NOT NULL,
    PRIMARY KEY (version)
) STRICT;

CREATE TABLE change (
    commit_seq INTEGER PRIMARY KEY CHECK (commit_seq >= 1),
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    encoded BLOB NOT NULL
) STRICT;
