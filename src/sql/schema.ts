/** The schema of the record on SQLite, as numbered steps from an empty file to now. A step that was released is never edited. */

/** Marks a file as ours, so that no other program's database is taken for a store: `RPRS`. */
export const applicationId = 0x52505253;

export const migrations: readonly string[] = [
  `
  CREATE TABLE pipeline_versions (
    pipeline   TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    digest     TEXT    NOT NULL,
    created_at REAL    NOT NULL,
    record     TEXT    NOT NULL,
    PRIMARY KEY (pipeline, version),
    UNIQUE (pipeline, digest)
  );

  CREATE TABLE runs (
    id          TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    pipeline    TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    status      TEXT    NOT NULL,
    started_at  REAL    NOT NULL,
    finished_at REAL,
    record      TEXT    NOT NULL
  );
  CREATE INDEX runs_by_start    ON runs (started_at, id);
  CREATE INDEX runs_by_pipeline ON runs (pipeline, started_at, id);
  CREATE INDEX runs_by_status   ON runs (status, started_at, id);
  CREATE INDEX runs_by_name     ON runs (name);

  CREATE TABLE run_tags (
    run   TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
  ) WITHOUT ROWID;
  CREATE INDEX run_tags_by_key ON run_tags (key, value);

  -- run_started_at is the run's: the closest earlier run of a step is found without a join.
  CREATE TABLE step_runs (
    run            TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    node           TEXT NOT NULL,
    step           TEXT NOT NULL,
    status         TEXT NOT NULL,
    run_started_at REAL NOT NULL,
    started_at     REAL NOT NULL,
    finished_at    REAL,
    record         TEXT NOT NULL,
    PRIMARY KEY (run, node)
  ) WITHOUT ROWID;
  CREATE INDEX step_runs_by_step ON step_runs (step, run_started_at, run);
  CREATE INDEX step_runs_by_node ON step_runs (node, step, run_started_at, run);

  -- Derived from the step runs' inputs and outputs, for the way from an artifact to who used it.
  CREATE TABLE uses (
    artifact TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    run      TEXT    NOT NULL,
    node     TEXT    NOT NULL,
    role     TEXT    NOT NULL,
    slot     TEXT    NOT NULL,
    PRIMARY KEY (artifact, version, run, node, role, slot)
  ) WITHOUT ROWID;

  -- A number that was given out once is not given out again, even when its version was removed.
  CREATE TABLE artifact_names (
    name         TEXT    NOT NULL PRIMARY KEY,
    last_version INTEGER NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE artifacts (
    name       TEXT    NOT NULL REFERENCES artifact_names (name),
    version    INTEGER NOT NULL,
    digest     TEXT    NOT NULL,
    type       TEXT    NOT NULL,
    created_at REAL    NOT NULL,
    root       TEXT    NOT NULL,
    parts      TEXT    NOT NULL,
    record     TEXT    NOT NULL,
    PRIMARY KEY (name, version),
    UNIQUE (name, digest)
  );
  CREATE INDEX artifacts_by_digest   ON artifacts (digest);
  CREATE INDEX artifacts_by_creation ON artifacts (created_at DESC, name, version DESC);

  CREATE TABLE cache_entries (
    key            TEXT NOT NULL PRIMARY KEY,
    step           TEXT NOT NULL,
    origin         TEXT NOT NULL,
    created_at     REAL NOT NULL,
    expires_at     REAL,
    invalidated_at REAL,
    record         TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX cache_entries_by_step   ON cache_entries (step, created_at DESC, key);
  CREATE INDEX cache_entries_by_origin ON cache_entries (origin);

  CREATE TABLE keys (
    digest TEXT NOT NULL PRIMARY KEY,
    record TEXT NOT NULL
  );

  -- Steps share most of the units that they reach: each unit is kept once, and a step's code names them by number.
  CREATE TABLE code_units (
    number INTEGER PRIMARY KEY,
    record TEXT NOT NULL UNIQUE
  );

  CREATE TABLE code (
    digest TEXT NOT NULL PRIMARY KEY,
    units  TEXT NOT NULL,
    record TEXT NOT NULL
  );

  CREATE TABLE sources (
    digest TEXT NOT NULL PRIMARY KEY,
    text   TEXT NOT NULL
  );

  CREATE TABLE logs (
    position INTEGER PRIMARY KEY,
    run      TEXT    NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    node     TEXT    NOT NULL,
    seq      INTEGER NOT NULL,
    time     REAL    NOT NULL,
    stream   TEXT    NOT NULL,
    level    TEXT,
    text     TEXT    NOT NULL,
    data     TEXT
  );
  CREATE INDEX logs_by_step_run ON logs (run, node, seq);

  -- No number can be stored as NULL alone: value is NULL where it is not a number (a loss that diverged).
  CREATE TABLE metrics (
    position INTEGER PRIMARY KEY,
    run      TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    node     TEXT NOT NULL,
    name     TEXT NOT NULL,
    step     REAL,
    value    REAL,
    time     REAL NOT NULL
  );
  CREATE INDEX metrics_by_step_run ON metrics (run, node);
  `,
  `
  -- Several entries may stand under one key, each for what its step read of the world: '' where it read nothing.
  CREATE TABLE new_cache_entries (
    key            TEXT NOT NULL,
    trace          TEXT NOT NULL,
    step           TEXT NOT NULL,
    origin         TEXT NOT NULL,
    created_at     REAL NOT NULL,
    expires_at     REAL,
    invalidated_at REAL,
    pinned_at      REAL,
    record         TEXT NOT NULL,
    PRIMARY KEY (key, trace)
  ) WITHOUT ROWID;
  INSERT INTO new_cache_entries (key, trace, step, origin, created_at, expires_at, invalidated_at, record)
    SELECT key, '', step, origin, created_at, expires_at, invalidated_at, record FROM cache_entries;
  DROP TABLE cache_entries;
  ALTER TABLE new_cache_entries RENAME TO cache_entries;
  CREATE INDEX cache_entries_by_step   ON cache_entries (step, created_at DESC, key, trace);
  CREATE INDEX cache_entries_by_origin ON cache_entries (origin);

  -- When a run was brought in from another store.
  ALTER TABLE runs ADD COLUMN imported_at REAL;

  -- Of a step run that was reused: the one that executed.
  ALTER TABLE step_runs ADD COLUMN origin TEXT;
  UPDATE step_runs SET origin = json_extract(record, '$.origin'), record = json_remove(record, '$.origin');

  CREATE TABLE traces (
    digest TEXT NOT NULL PRIMARY KEY,
    record TEXT NOT NULL
  );

  -- What this machine knows of files, so that those that did not change are not read again.
  CREATE TABLE file_digests (
    path   TEXT NOT NULL PRIMARY KEY,
    stamp  TEXT NOT NULL,
    digest TEXT NOT NULL
  ) WITHOUT ROWID;

  -- Who executes a key at this moment. The token is of one acquisition alone; beat grows while the holder lives.
  CREATE TABLE leases (
    key    TEXT    NOT NULL PRIMARY KEY,
    token  TEXT    NOT NULL,
    holder TEXT    NOT NULL,
    beat   INTEGER NOT NULL
  ) WITHOUT ROWID;
  `,
  `
  -- A run that reused just what an earlier one reused has no step runs of its own: they are those of that run.
  ALTER TABLE runs ADD COLUMN repeats TEXT;
  CREATE INDEX runs_by_repeats ON runs (repeats, started_at, id) WHERE repeats IS NOT NULL;
  CREATE INDEX repeats_by_pipeline ON runs (pipeline, started_at, id) WHERE repeats IS NOT NULL;

  -- Grows whenever an entry that could be taken changes or goes, or another one comes beside it.
  CREATE TABLE entry_count (value INTEGER NOT NULL);
  INSERT INTO entry_count (value) VALUES (0);
  CREATE TRIGGER entry_changed AFTER UPDATE OF key, trace, origin, created_at, expires_at, invalidated_at, record ON cache_entries
  BEGIN UPDATE entry_count SET value = value + 1; END;
  CREATE TRIGGER entry_removed AFTER DELETE ON cache_entries
  BEGIN UPDATE entry_count SET value = value + 1; END;
  CREATE TRIGGER entry_joined AFTER INSERT ON cache_entries
  WHEN EXISTS (SELECT 1 FROM cache_entries WHERE key = NEW.key AND trace <> NEW.trace)
  BEGIN UPDATE entry_count SET value = value + 1; END;

  CREATE TABLE repeatables (
    digest  TEXT    NOT NULL PRIMARY KEY,
    run     TEXT    NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    entries INTEGER NOT NULL,
    record  TEXT    NOT NULL,
    steps   TEXT    NOT NULL
  );
  CREATE INDEX repeatables_by_run ON repeatables (run);
  `,
  `
  -- Blobs so small that a file each costs more than their bytes. Sealed: 1, until somebody else than the store writes to
  -- the bytes, or may have done so. Touched: when it was last written or wanted; it grows each time.
  CREATE TABLE blobs (
    digest     TEXT    NOT NULL PRIMARY KEY,
    sealed     INTEGER NOT NULL DEFAULT 0,
    touched_at REAL    NOT NULL DEFAULT 0,
    bytes      BLOB    NOT NULL
  ) STRICT;
  -- The store itself writes a row once, and replaces it as a whole.
  CREATE TRIGGER blobs_altered AFTER UPDATE OF digest, bytes ON blobs BEGIN
    UPDATE blobs SET sealed = 0 WHERE digest = new.digest;
  END;
  -- A run is repeated without a look at the blobs here: one that is not there any more, or not trusted, counts as an entry.
  CREATE TRIGGER blob_removed AFTER DELETE ON blobs
  BEGIN UPDATE entry_count SET value = value + 1; END;
  CREATE TRIGGER blob_doubted AFTER UPDATE OF sealed ON blobs WHEN NEW.sealed = 0
  BEGIN UPDATE entry_count SET value = value + 1; END;
  `,
];
