package sqlite

// applicationID marks the file as Gatehouse's in SQLite's header: "GATE".
const applicationID = 0x47415445

// schemaVersion is the layout below. A file with a greater one is refused.
const schemaVersion = 1

const schema = `
CREATE TABLE docs (
	key    BLOB PRIMARY KEY,
	rev    INTEGER NOT NULL,
	format INTEGER NOT NULL,
	sealed INTEGER NOT NULL,
	body   BLOB NOT NULL
) WITHOUT ROWID;

-- Versions that a pin needs: current from rev up to, not including, until.
CREATE TABLE kept (
	key    BLOB NOT NULL,
	until  INTEGER NOT NULL,
	rev    INTEGER NOT NULL,
	root   BLOB NOT NULL,
	format INTEGER NOT NULL,
	sealed INTEGER NOT NULL,
	body   BLOB NOT NULL,
	PRIMARY KEY (key, until)
) WITHOUT ROWID;
CREATE INDEX kept_root ON kept (root, rev);

CREATE TABLE pins (
	root  BLOB NOT NULL,
	rev   INTEGER NOT NULL,
	count INTEGER NOT NULL,
	PRIMARY KEY (root, rev)
) WITHOUT ROWID;

CREATE TABLE changes (
	rev INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	op  INTEGER NOT NULL,
	key BLOB NOT NULL,
	PRIMARY KEY (rev, seq)
) WITHOUT ROWID;

CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value NOT NULL
) WITHOUT ROWID;
INSERT INTO meta VALUES ('revision', 0);
`
