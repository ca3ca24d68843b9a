BEGIN TRANSACTION;
CREATE TABLE aside (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of putting
    boot TEXT NOT NULL,
    number INTEGER NOT NULL,
    evidence INTEGER NOT NULL,
    elapsed INTEGER NOT NULL,  -- ms on the monotonic clock when put
    wall INTEGER NOT NULL,     -- ms on the PC's own clock when put
    guess INTEGER,             -- corrected ms when put, where it was known
    readings BLOB,             -- JSON, until sealed
    sealed BLOB,               -- the bytes of every sending, from the first on
    time INTEGER,              -- sealed corrected ms
    sent INTEGER,              -- as sealed
    state INTEGER NOT NULL DEFAULT 0,
    reason TEXT,               -- why it is held
    retry INTEGER,             -- when it is tried again, ms on the monotonic clock
    receipted INTEGER,         -- the collector's ms at its receipt
    size INTEGER NOT NULL
, machine TEXT NOT NULL);
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "fact" VALUES('machine','0123456789abcdef0123456789abcdef');
CREATE TABLE report (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of putting
    boot TEXT NOT NULL,
    number INTEGER NOT NULL,
    evidence INTEGER NOT NULL,
    elapsed INTEGER NOT NULL,  -- ms on the monotonic clock when put
    wall INTEGER NOT NULL,     -- ms on the PC's own clock when put
    guess INTEGER,             -- corrected ms when put, where it was known
    readings BLOB,             -- JSON, until sealed
    sealed BLOB,               -- the bytes of every sending, from the first on
    time INTEGER,              -- sealed corrected ms
    sent INTEGER,              -- as sealed
    state INTEGER NOT NULL DEFAULT 0,
    reason TEXT,               -- why it is held
    retry INTEGER,             -- when it is tried again, ms on the monotonic clock
    receipted INTEGER,         -- the collector's ms at its receipt
    size INTEGER NOT NULL
, UNIQUE (boot, number));
INSERT INTO "report" VALUES(1,'f52947df9a383151',2,1,6000,1790000001000,1790000001000,NULL,X'7B2274797065223A227265706F7274222C2276223A312C2274696D65223A313739303030303030313030302C2272656164696E6773223A5B7B2272656164696E67223A226167656E74222C2276657273696F6E223A22302E312E30227D5D2C2273656E74223A313739303030303030343030307D',1790000001000,1790000004000,2,NULL,NULL,1790000006000,116);
INSERT INTO "report" VALUES(3,'f52947df9a383151',4,1,8000,1790000003000,1790000003000,NULL,X'7B2274797065223A227265706F7274222C2276223A312C2274696D65223A313739303030303030333030302C2272656164696E6773223A5B7B2272656164696E67223A226167656E74222C2276657273696F6E223A22302E312E30227D5D2C2273656E74223A313739303030303030343030327D',1790000003000,1790000004002,0,NULL,NULL,NULL,116);
INSERT INTO "report" VALUES(4,'f52947df9a383151',5,0,9000,1790000004000,1790000004000,NULL,X'7B2274797065223A227265706F7274222C2276223A312C2274696D65223A313739303030303030343030302C2272656164696E6773223A5B7B2272656164696E67223A226167656E74222C2276657273696F6E223A22302E312E30227D5D2C2273656E74223A313739303030303030343030337D',1790000004000,1790000004003,0,NULL,NULL,NULL,116);
INSERT INTO "report" VALUES(5,'f52947df9a383151',6,1,10000,1790000005000,1790000005000,X'5B7B2272656164696E67223A226167656E74222C2276657273696F6E223A22302E312E30227D5D',NULL,NULL,NULL,0,NULL,NULL,NULL,39);
INSERT INTO "report" VALUES(6,'f52947df9a383151',7,0,11000,1790000006000,1790000006000,X'5B7B2272656164696E67223A226167656E74222C2276657273696F6E223A22302E312E30227D5D',NULL,NULL,NULL,0,NULL,NULL,NULL,39);
CREATE TABLE total (
    one INTEGER PRIMARY KEY CHECK (one = 1), waiting INTEGER, waiting_bytes INTEGER, bytes INTEGER
);
INSERT INTO "total" VALUES(1,4,310,426);
CREATE INDEX report_state ON report (state, id);
CREATE INDEX report_evidence ON report (evidence, id);
CREATE INDEX report_retry ON report (state, retry);
CREATE TRIGGER report_INSERT_new AFTER INSERT ON report BEGIN
    UPDATE total SET
        waiting = waiting + (new.state != 2),
        waiting_bytes = waiting_bytes + (new.state != 2) * new.size,
        bytes = bytes + new.size;
END;
CREATE TRIGGER report_DELETE_old AFTER DELETE ON report BEGIN
    UPDATE total SET
        waiting = waiting - (old.state != 2),
        waiting_bytes = waiting_bytes - (old.state != 2) * old.size,
        bytes = bytes - old.size;
END;
CREATE TRIGGER report_UPDATE_old AFTER UPDATE OF state, size ON report BEGIN
    UPDATE total SET
        waiting = waiting - (old.state != 2),
        waiting_bytes = waiting_bytes - (old.state != 2) * old.size,
        bytes = bytes - old.size;
END;
CREATE TRIGGER report_UPDATE_new AFTER UPDATE OF state, size ON report BEGIN
    UPDATE total SET
        waiting = waiting + (new.state != 2),
        waiting_bytes = waiting_bytes + (new.state != 2) * new.size,
        bytes = bytes + new.size;
END;
CREATE TRIGGER aside_INSERT_new AFTER INSERT ON aside BEGIN
    UPDATE total SET
        waiting = waiting + 0,
        waiting_bytes = waiting_bytes + 0 * new.size,
        bytes = bytes + new.size;
END;
CREATE TRIGGER aside_DELETE_old AFTER DELETE ON aside BEGIN
    UPDATE total SET
        waiting = waiting - 0,
        waiting_bytes = waiting_bytes - 0 * old.size,
        bytes = bytes - old.size;
END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('report',6);
COMMIT;
