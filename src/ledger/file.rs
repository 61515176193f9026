use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, TransactionBehavior, params};

use super::chain::{BEGINNING, Head, Link, link};
use super::scratch::Place;
use super::wait::wait_once_more;
use super::{LedgerError, schema};
use crate::audit::Entry;
use crate::files::create_private;

/// Limit of an entry in bytes, several hundred times the usual size.
const MOST_BYTES: i64 = 1 << 20;

/// An open ledger.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
}

/// An entry with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Position, counted from 1.
    pub number: u64,
    /// Digest of the history up to this entry.
    pub digest: Link,
    /// The entry.
    pub entry: Entry,
}

impl Ledger {
    /// Opens a ledger for appending. Creates it if it does not exist, and upgrades an older format. Opening writes to
    /// the file, so a file that cannot be written is refused here.
    ///
    /// # Errors
    ///
    /// The file is no ledger, has other content than a ledger, is of a newer format, or cannot be written.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        // SQLite gives its auxiliary files the permissions of the ledger.
        create_private(path).map_err(|error| LedgerError::Io(error.to_string()))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut ledger = Ledger { connection: connect(path, flags).map_err(LedgerError::while_writing)? };
        // In the default journal mode, other files exist only during a write. `FULL` makes every commit wait for the
        // disk.
        ledger.connection.pragma_update(None, "synchronous", "FULL")?;
        ledger.prepare().map_err(LedgerError::while_writing)?;
        Ok(ledger)
    }

    fn prepare(&mut self) -> Result<(), LedgerError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if schema::is_empty(&transaction)? {
            schema::begin(&transaction)?;
        } else {
            schema::check(&transaction)?;
            schema::write_format(&transaction)?;
        }
        Ok(transaction.commit()?)
    }

    /// Opens an existing ledger for reading. An older format is not upgraded.
    ///
    /// # Errors
    ///
    /// The file is no ledger, has other content than a ledger, is of a newer format, or cannot be read.
    pub fn open_existing(path: &Path) -> Result<Self, LedgerError> {
        // Opened for writing if permitted, so that SQLite can roll back an incomplete write of a killed run.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = connect(path, flags).map_err(|error| match error {
            // SQLite's code is the same for a missing file and for one that may not be opened.
            LedgerError::CannotOpen(_) if !path.as_os_str().is_empty() && !path.exists() => {
                LedgerError::Missing(path.display().to_string())
            }
            other => other,
        })?;
        let ledger = Ledger { connection };
        schema::check(&ledger.connection)?;
        Ok(ledger)
    }

    /// Appends entries: all of them or, if it fails, none. Returns the new head.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or does not contain what was written.
    pub fn append(&mut self, entries: &[Entry]) -> Result<Head, LedgerError> {
        self.add(entries).map_err(LedgerError::while_writing)
    }

    fn add(&mut self, entries: &[Entry]) -> Result<Head, LedgerError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        schema::check(&transaction)?;
        let mut at = head(&transaction)?;
        for entry in entries {
            at = insert(&transaction, &at, entry)?;
        }
        transaction.commit()?;
        if entries.is_empty() || digest_of(&self.connection, at.entries)? == Some(at.digest) {
            Ok(at)
        } else {
            Err(LedgerError::NotKept(format!("entry {} is not there as it was written", at.entries)))
        }
    }

    /// Visits the entries in order whose target starts with `begins`. Every entry is checked against its predecessor
    /// and its own columns, and reading ends at an altered or missing one. Returns the head of the history.
    ///
    /// # Errors
    ///
    /// The file cannot be read, has other content than a ledger, or its chain is broken.
    pub fn each(&self, begins: Option<&str>, mut visit: impl FnMut(Kept)) -> Result<Head, LedgerError> {
        let reading = self.connection.unchecked_transaction()?;
        schema::check(&reading)?;
        let mut at = Head::BEGINNING;
        let mut select = reading.prepare_cached(
            "SELECT number, target, CASE WHEN octet_length(document) <= ?1 THEN document END, digest
             FROM entry ORDER BY number",
        )?;
        let mut rows = select.query([MOST_BYTES])?;
        while let Some(row) = rows.next()? {
            let (number, target, document): (i64, String, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let broken = |problem: &str| LedgerError::Broken(format!("entry {number} {problem}"));
            let document = document.ok_or_else(|| broken("is larger than any that is written"))?;
            let digest = row.get::<_, Vec<u8>>(3)?.try_into().map_err(|_| broken("has no digest"))?;
            let head = Head { entries: at.entries + 1, digest };
            if u64::try_from(number) != Ok(head.entries) {
                return Err(LedgerError::Broken(format!("entry {} is missing", head.entries)));
            }
            if link(&at.digest, &document) != head.digest {
                return Err(broken("is not what was written"));
            }
            let entry: Entry =
                serde_json::from_str(&document).map_err(|error| broken(&format!("cannot be read: {error}")))?;
            if entry.target() != target {
                return Err(broken("is kept under another target than its own"));
            }
            at = head;
            if begins.is_none_or(|begins| target.starts_with(begins)) {
                visit(Kept { number: head.entries, digest: head.digest, entry });
            }
        }
        Ok(at)
    }

    fn entries(&self, places: &[Place]) -> Result<Vec<Entry>, LedgerError> {
        let mut select = self.connection.prepare_cached(
            "SELECT document, (SELECT digest FROM entry WHERE number = ?1 - 1) FROM entry WHERE number = ?1",
        )?;
        let mut entries = Vec::with_capacity(places.len());
        for place in places {
            let broken = || LedgerError::Broken(format!("entry {} has changed since it was read", place.number));
            let number = i64::try_from(place.number).unwrap_or(i64::MAX);
            let row = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, Option<Vec<u8>>>(1)?));
            let (document, before) = select.query_row([number], row).optional()?.ok_or_else(broken)?;
            let before = match before {
                None => BEGINNING,
                Some(digest) => digest.try_into().map_err(|_| broken())?,
            };
            if link(&before, &document) != place.digest {
                return Err(broken());
            }
            entries.push(serde_json::from_str(&document).map_err(|_| broken())?);
        }
        Ok(entries)
    }

    /// The entries of several objects, at places that [`Ledger::each`] has visited before.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or an entry is no longer what it was.
    pub fn entries_of(&self, objects: &[Vec<Place>]) -> Result<Vec<Vec<Entry>>, LedgerError> {
        let reading = self.connection.unchecked_transaction()?;
        schema::check(&reading)?;
        objects.iter().map(|places| self.entries(places)).collect()
    }

    /// Checks the file and every entry, and that the history contains `expected`, a head that was stored elsewhere.
    /// Returns the head of the history.
    ///
    /// # Errors
    ///
    /// The file or its chain is damaged, or `expected` is not in the history.
    pub fn check(&self, expected: Option<Head>) -> Result<Head, LedgerError> {
        self.check_each(expected, |_| ())
    }

    /// Checks as [`Ledger::check`] does, and visits the entries in order. Some may have been visited before an error.
    ///
    /// # Errors
    ///
    /// As for [`Ledger::check`].
    pub fn check_each(&self, expected: Option<Head>, mut visit: impl FnMut(Kept)) -> Result<Head, LedgerError> {
        let sound: String = self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if sound != "ok" {
            return Err(LedgerError::Damaged(sound));
        }
        let mut met = expected.is_none_or(|expected| expected == Head::BEGINNING);
        let end = self.each(None, |kept| {
            met |= expected == Some(Head { entries: kept.number, digest: kept.digest });
            visit(kept);
        })?;
        match expected {
            Some(expected) if !met => Err(LedgerError::OtherHead(expected.to_string())),
            _ => Ok(end),
        }
    }
}

/// A connection that runs nothing from the file: no trigger, no view, and no function that its schema names.
fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, LedgerError> {
    // SQLite treats a name that starts with `file:` as a URI, whose parameters change how the file is locked and
    // written, and an empty name or one that starts with `:` as no file. An absolute path is always a path.
    let path = std::path::absolute(path).map_err(|error| LedgerError::CannotOpen(error.to_string()))?;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_handler(Some(wait_once_more))?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        if connection.set_db_config(setting, on)? != on {
            return Err(LedgerError::Io("SQLite does not take its defensive settings".to_owned()));
        }
    }
    Ok(connection)
}

/// Appends one entry.
fn insert(transaction: &Connection, last: &Head, entry: &Entry) -> Result<Head, LedgerError> {
    let document = serde_json::to_string(entry).map_err(|error| LedgerError::Io(error.to_string()))?;
    if i64::try_from(document.len()).is_ok_and(|bytes| bytes > MOST_BYTES) {
        return Err(LedgerError::Io(format!("an entry of {} bytes is too large", document.len())));
    }
    let head = Head { entries: last.entries + 1, digest: link(&last.digest, &document) };
    let number = i64::try_from(head.entries).map_err(|_| LedgerError::Damaged("too long".to_owned()))?;
    let changed = transaction
        .prepare_cached("INSERT INTO entry (number, target, document, digest) VALUES (?, ?, ?, ?)")?
        .execute(params![number, entry.target(), document, head.digest])?;
    match changed {
        1 => Ok(head),
        rows => Err(LedgerError::NotKept(format!("adding entry {number} changed {rows} rows"))),
    }
}

fn head(connection: &Connection) -> Result<Head, LedgerError> {
    let last = connection
        .prepare_cached("SELECT number, digest FROM entry ORDER BY number DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))
        .optional()?;
    Ok(match last {
        None => Head::BEGINNING,
        Some((number, digest)) => Head { entries: number.unsigned_abs(), digest },
    })
}

fn digest_of(connection: &Connection, number: u64) -> Result<Option<Link>, LedgerError> {
    let number = i64::try_from(number).map_err(|_| LedgerError::Damaged("too long".to_owned()))?;
    let mut select = connection.prepare_cached("SELECT digest FROM entry WHERE number = ?")?;
    Ok(select.query_row([number], |row| row.get(0)).optional()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Acceptance;
    use crate::verdict::ProofKind;

    fn entry(number: u32) -> Entry {
        Entry::Acceptance(Acceptance {
            at: "2026-01-01T00:00:00Z".into(),
            tool: "test".into(),
            target: format!("s3://b/ami-{number:08x}.bin"),
            object: None,
            reason: format!("reason {number}"),
        })
    }

    fn filled(path: &Path) -> Head {
        let mut ledger = Ledger::open(path).unwrap();
        ledger.append(&[entry(1), entry(2)]).unwrap();
        ledger.append(&[]).unwrap();
        ledger.append(&[entry(3)]).unwrap()
    }

    fn alter(path: &Path, sql: &str) {
        Connection::open(path).unwrap().execute_batch(sql).unwrap();
    }

    #[test]
    fn entries_are_kept_in_order_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.db");
        let head = filled(&path);
        assert_eq!(head.entries, 3);
        assert_eq!(head.to_string().parse(), Ok(head));
        let ledger = Ledger::open_existing(&path).unwrap();
        assert_eq!(ledger.check(Some(head)).unwrap(), head);
        let mut all = Vec::new();
        assert_eq!(ledger.each(None, |kept| all.push(kept.entry)), Ok(head));
        assert_eq!(all, [entry(1), entry(2), entry(3)]);
        let mut some = 0;
        ledger.each(Some("s3://b/ami-00000002"), |_| some += 1).unwrap();
        assert_eq!(some, 1);
        // An older head is part of the history.
        let earlier = Ledger::open(&folder.path().join("m.db")).unwrap().append(&[entry(1), entry(2)]).unwrap();
        assert!(ledger.check(Some(earlier)).is_ok());
    }

    #[test]
    fn every_name_is_that_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        // The current directory belongs to the process, and other tests run in it.
        let here = std::env::current_dir().unwrap();
        let up: std::path::PathBuf = here.components().skip(1).map(|_| "..").collect();
        for name in
            ["file:l.db", "file:l.db?mode=memory&cache=shared", "file:l.db?immutable=1", ":memory:", "x?mode=ro#y"]
        {
            let whole = folder.path().join(name);
            std::fs::create_dir_all(whole.parent().unwrap()).unwrap();
            let relative = up.join(whole.strip_prefix("/").unwrap());
            let head = filled(&relative);
            assert_eq!(Ledger::open_existing(&whole).unwrap().check(None), Ok(head), "{name}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 5);
        assert!(matches!(Ledger::open_existing(Path::new("")), Err(LedgerError::CannotOpen(_))));
    }

    #[test]
    fn what_was_removed_or_altered_is_found() {
        let reason = "reason 2";
        for (sql, problem) in [
            ("DELETE FROM entry WHERE number = 2".to_owned(), "entry 2 is missing"),
            ("DELETE FROM entry WHERE number = 1".to_owned(), "entry 1 is missing"),
            ("UPDATE entry SET number = -1 WHERE number = 1".to_owned(), "entry 1 is missing"),
            ("UPDATE entry SET digest = x'00' WHERE number = 2".to_owned(), "entry 2 has no digest"),
            (
                format!("UPDATE entry SET document = replace(document, '{reason}', 'another') WHERE number = 2"),
                "entry 2 is not what was written",
            ),
            (
                "UPDATE entry SET target = 's3://b/x' WHERE number = 3".to_owned(),
                "entry 3 is kept under another target",
            ),
            (
                "DELETE FROM entry WHERE number = 2; UPDATE entry SET number = 2 WHERE number = 3".to_owned(),
                "entry 2 is not what was written",
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("l.db");
            filled(&path);
            alter(&path, &sql);
            let ledger = Ledger::open_existing(&path).unwrap();
            let error = ledger.each(None, |_| ()).unwrap_err();
            assert!(error.to_string().contains(problem), "{sql}: {error}");
            assert_eq!(ledger.check(None), Err(error), "{sql}");
        }
        // Removing entries from the end is detected only with a head that was stored elsewhere.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.db");
        let head = filled(&path);
        alter(&path, "DELETE FROM entry WHERE number = 3");
        let ledger = Ledger::open_existing(&path).unwrap();
        assert!(ledger.check(None).is_ok());
        assert!(matches!(ledger.check(Some(head)), Err(LedgerError::OtherHead(_))));
    }

    #[test]
    fn what_is_no_ledger_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.db");
        std::fs::write(&path, vec![b'x'; 5000]).unwrap();
        assert!(matches!(Ledger::open(&path), Err(LedgerError::Foreign(_))));
        assert_eq!(std::fs::read(&path).unwrap(), vec![b'x'; 5000]);
        std::fs::remove_file(&path).unwrap();
        alter(&path, "CREATE TABLE other (a)");
        assert!(matches!(Ledger::open(&path), Err(LedgerError::Foreign(_))));
        let newer = folder.path().join("n.db");
        filled(&newer);
        alter(&newer, "PRAGMA user_version = 4");
        let before = std::fs::read(&newer).unwrap();
        assert_eq!(Ledger::open(&newer).unwrap_err(), LedgerError::Newer(4));
        assert_eq!(Ledger::open_existing(&newer).unwrap_err(), LedgerError::Newer(4));
        assert_eq!(std::fs::read(&newer).unwrap(), before);
        let empty = folder.path().join("e.db");
        filled(&empty);
        alter(&empty, "DROP TABLE entry");
        assert!(matches!(Ledger::open_existing(&empty), Err(LedgerError::Damaged(_))));
        let cut = folder.path().join("c.db");
        filled(&cut);
        let whole = std::fs::read(&cut).unwrap();
        std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
        let error = Ledger::open(&cut).and_then(|ledger| ledger.check(None)).unwrap_err();
        assert!(matches!(error, LedgerError::Damaged(_)), "{error:?}");
        assert!(matches!(Ledger::open_existing(&folder.path().join("none.db")), Err(LedgerError::Missing(_))));
    }

    #[test]
    fn a_new_ledger_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.db");
        filled(&path);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
    }

    #[test]
    fn two_runs_at_once_write_one_history() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.db");
        Ledger::open(&path).unwrap();
        std::thread::scope(|scope| {
            for run in 0..2 {
                let path = &path;
                scope.spawn(move || {
                    let mut ledger = Ledger::open(path).unwrap();
                    (0..50).for_each(|number| assert!(ledger.append(&[entry(run * 100 + number)]).is_ok()));
                });
            }
        });
        assert_eq!(Ledger::open_existing(&path).unwrap().check(None).unwrap().entries, 100);
    }

    /// Ledgers that earlier programs wrote, in the formats 1 and 2, and their heads.
    const OF_OLD: [(i64, &[u8], &str); 2] = [
        (
            1,
            include_bytes!("../../tests/fixtures/ledger/0.1.0.db"),
            include_str!("../../tests/fixtures/ledger/0.1.0.head"),
        ),
        (
            2,
            include_bytes!("../../tests/fixtures/ledger/format-2.db"),
            include_str!("../../tests/fixtures/ledger/format-2.head"),
        ),
    ];

    #[test]
    fn a_ledger_of_an_older_version_is_read_as_it_is_and_upgraded_with_its_chain() {
        let format = |path: &Path| {
            let other = Connection::open(path).unwrap();
            other.pragma_query_value::<i64, _>(None, "user_version", |row| row.get(0)).unwrap()
        };
        for (written, bytes, head) in OF_OLD {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("l.db");
            std::fs::write(&path, bytes).unwrap();
            let head: Head = head.trim().parse().unwrap();
            assert_eq!(Ledger::open_existing(&path).unwrap().check(Some(head)), Ok(head));
            assert_eq!(std::fs::read(&path).unwrap(), bytes, "reading changes nothing");
            assert_eq!(format(&path), written);
            let mut ledger = Ledger::open(&path).unwrap();
            assert_eq!((ledger.check(Some(head)), format(&path)), (Ok(head), 3));
            let after = ledger.append(&[entry(1)]).unwrap();
            assert_eq!(after.entries, head.entries + 1);
            assert_eq!(ledger.check(Some(head)), Ok(after));
        }
    }

    /// What older versions proved, they read; their entries are written again byte for byte.
    #[test]
    fn entries_of_older_versions_are_proofs_by_reading() {
        for (_, bytes, _) in OF_OLD {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("l.db");
            std::fs::write(&path, bytes).unwrap();
            let mut kinds = Vec::new();
            let ledger = Ledger::open_existing(&path).unwrap();
            ledger
                .each(None, |kept| {
                    let Entry::Proof(proof) = &kept.entry else { return };
                    assert_eq!(proof.proof_kind, None);
                    kinds.extend(proof.kind());
                })
                .unwrap();
            assert!(kinds.len() >= 4 && kinds.iter().all(|kind| *kind == ProofKind::Read), "{kinds:?}");
            let (mut documents, mut again) = (Vec::new(), Vec::new());
            let mut select = ledger.connection.prepare("SELECT document FROM entry ORDER BY number").unwrap();
            let rows = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
            documents.extend(rows.map(Result::unwrap));
            ledger.each(None, |kept| again.push(serde_json::to_string(&kept.entry).unwrap())).unwrap();
            assert_eq!(documents, again);
        }
    }

    /// Each object is also added while a ledger is open.
    #[test]
    fn what_is_planted_is_refused_for_reading_and_writing_and_nothing_is_changed() {
        for sql in [
            "CREATE TRIGGER swallow BEFORE INSERT ON entry BEGIN SELECT RAISE(IGNORE); END",
            "CREATE TRIGGER forge AFTER INSERT ON entry BEGIN UPDATE entry SET target = 'x'; END",
            "CREATE VIEW v AS SELECT * FROM entry",
            "CREATE INDEX i ON entry (target)",
            "CREATE TABLE other (a)",
            "ALTER TABLE entry ADD COLUMN more TEXT",
            "CREATE VIRTUAL TABLE f USING fts5(a)",
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("l.db");
            filled(&path);
            let mut open = Ledger::open(&path).unwrap();
            alter(&path, sql);
            let before = std::fs::read(&path).unwrap();
            let refused =
                |result: Result<(), LedgerError>| assert!(matches!(result, Err(LedgerError::Schema(_))), "{sql}");
            refused(Ledger::open(&path).map(drop));
            refused(Ledger::open_existing(&path).map(drop));
            refused(open.append(&[entry(4)]).map(drop));
            refused(open.each(None, |_| ()).map(drop));
            refused(open.check(None).map(drop));
            assert_eq!(std::fs::read(&path).unwrap(), before, "{sql}");
        }
    }

    /// As if SQLite had run a trigger: an insert that changes no row, or another one.
    #[test]
    fn an_insert_that_changes_no_row_is_an_error() {
        let connection = Connection::open_in_memory().unwrap();
        schema::begin(&connection).unwrap();
        connection.execute_batch("CREATE TRIGGER t BEFORE INSERT ON entry BEGIN SELECT RAISE(IGNORE); END").unwrap();
        let beginning = Head::BEGINNING;
        assert!(matches!(insert(&connection, &beginning, &entry(1)), Err(LedgerError::NotKept(_))));
    }

    #[test]
    fn an_entry_that_no_version_writes_is_not_read_into_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.db");
        filled(&path);
        alter(&path, "UPDATE entry SET document = printf('%.*c', 2000000, 'x') WHERE number = 2");
        let error = Ledger::open_existing(&path).unwrap().each(None, |_| ()).unwrap_err();
        assert!(matches!(&error, LedgerError::Broken(problem) if problem.contains("entry 2 is larger")), "{error}");
    }
}
