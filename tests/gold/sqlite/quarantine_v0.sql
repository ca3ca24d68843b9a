PRAGMA application_id = 0;
PRAGMA user_version = 0;
BEGIN TRANSACTION;
CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,   -- arrival, ns since 1970 UTC
  topic TEXT NOT NULL,
  payload BLOB NOT NULL,
  reason TEXT NOT NULL,
  size INTEGER NOT NULL,
  digest BLOB NOT NULL UNIQUE
);
INSERT INTO "quarantine" VALUES(1,1,'topic/1',X'7B','unreadable: no JSON',155,X'BED970C4015ED94CFA34C0F263088A8C');
INSERT INTO "quarantine" VALUES(2,2,'topic/2',X'00FF','store: type',148,X'205E98E6BC3568AECEDD059BEAE8A224');
CREATE TABLE total (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), size INTEGER);
INSERT INTO "total" VALUES(1,303);
CREATE TRIGGER came AFTER INSERT ON quarantine
  BEGIN UPDATE total SET size = size + new.size; END;
CREATE TRIGGER went AFTER DELETE ON quarantine
  BEGIN UPDATE total SET size = size - old.size; END;
COMMIT;
