use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::LedgerError;
use super::chain::{BEGINNING, Head, Link, link};
use crate::files::create_private;
use crate::fleet::Entry;

/// Marks the file as ours (SQLite, *PRAGMA application_id*): "sami".
const APPLICATION: i64 = 0x7361_6D69;
const FORMAT: i64 = 1;
/// How long another run may hold the file.
const PATIENCE: Duration = Duration::from_secs(60);

/// A ledger that is open.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
}

/// An entry with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Counted from 1.
    pub number: u64,
    pub digest: Link,
    pub entry: Entry,
}

impl Ledger {
    /// Opens a ledger to add to it; begins one where there is none.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // SQLite gives its own files beside a ledger the rights that the ledger has.
        create_private(path).map_err(|error| LedgerError::Io(error.to_string()))?;
        let mut ledger = Ledger { connection: Connection::open_with_flags(path, flags)? };
        ledger.connection.busy_timeout(PATIENCE)?;
        // A whole file is one file: nothing stands beside it but while it is written. Every commit is on the disk.
        ledger.connection.pragma_update(None, "synchronous", "FULL")?;
        let begin = ledger.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let tables: i64 = begin.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables == 0 && pragma(&begin, "application_id")? == 0 {
            begin.execute_batch(
                "CREATE TABLE entry (
                    number INTEGER PRIMARY KEY,
                    target TEXT NOT NULL,
                    document TEXT NOT NULL,
                    digest BLOB NOT NULL
                 ) STRICT;",
            )?;
            begin.pragma_update(None, "application_id", APPLICATION)?;
            begin.pragma_update(None, "user_version", FORMAT)?;
        }
        begin.commit()?;
        ledger.check_format()?;
        Ok(ledger)
    }

    /// Opens a ledger that is there, to read it.
    pub fn open_existing(path: &Path) -> Result<Self, LedgerError> {
        // What a killed run left half written is taken back by whoever opens it next, if that one may write.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let ledger = Ledger { connection: Connection::open_with_flags(path, flags)? };
        ledger.connection.busy_timeout(PATIENCE)?;
        ledger.check_format()?;
        Ok(ledger)
    }

    fn check_format(&self) -> Result<(), LedgerError> {
        if pragma(&self.connection, "application_id")? != APPLICATION {
            return Err(LedgerError::Foreign("it is a database of something else".to_owned()));
        }
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'entry'";
        let there: i64 = self.connection.query_row(tables, [], |row| row.get(0))?;
        match pragma(&self.connection, "user_version")? {
            FORMAT if there == 0 => Err(LedgerError::Damaged("its entries are missing".to_owned())),
            FORMAT => Ok(()),
            newer if newer > FORMAT => Err(LedgerError::Newer(newer)),
            odd => Err(LedgerError::Damaged(format!("it has format {odd}"))),
        }
    }

    /// Adds entries behind those that are there: all of them or, where it fails, none.
    pub fn append(&mut self, entries: &[Entry]) -> Result<Head, LedgerError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut head = head(&transaction)?;
        for entry in entries {
            let document = serde_json::to_string(entry).map_err(|error| LedgerError::Io(error.to_string()))?;
            head = Head { entries: head.entries + 1, digest: link(&head.digest, &document) };
            let number = i64::try_from(head.entries).map_err(|_| LedgerError::Damaged("too long".to_owned()))?;
            transaction
                .prepare_cached("INSERT INTO entry (number, target, document, digest) VALUES (?, ?, ?, ?)")?
                .execute(params![number, entry.target(), document, head.digest])?;
        }
        transaction.commit()?;
        Ok(head)
    }

    /// Every entry in order, of all targets that begin so; each is held against the one before it and against its own
    /// columns, and of what was altered or removed nothing is believed. What the history ends in.
    pub fn each(&self, begins: Option<&str>, mut visit: impl FnMut(Kept)) -> Result<Head, LedgerError> {
        let mut at = Head { entries: 0, digest: BEGINNING };
        let mut select =
            self.connection.prepare_cached("SELECT number, target, document, digest FROM entry ORDER BY number")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (number, target, document): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let kept: Vec<u8> = row.get(3)?;
            let digest = kept.try_into().map_err(|_| LedgerError::Broken(format!("entry {number} has no digest")))?;
            let head = Head { entries: at.entries + 1, digest };
            if u64::try_from(number) != Ok(head.entries) {
                return Err(LedgerError::Broken(format!("entry {} is missing", head.entries)));
            }
            if link(&at.digest, &document) != head.digest {
                return Err(LedgerError::Broken(format!("entry {number} is not what was written")));
            }
            let entry: Entry = serde_json::from_str(&document)
                .map_err(|error| LedgerError::Broken(format!("entry {number} cannot be read: {error}")))?;
            if entry.target() != target {
                return Err(LedgerError::Broken(format!("entry {number} is kept under another target than its own")));
            }
            at = head;
            if begins.is_none_or(|begins| target.starts_with(begins)) {
                visit(Kept { number: head.entries, digest: head.digest, entry });
            }
        }
        Ok(at)
    }

    /// Holds the file and every entry against themselves, and the history against a head that was kept elsewhere.
    pub fn check(&self, expected: Option<Head>) -> Result<Head, LedgerError> {
        let sound: String = self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if sound != "ok" {
            return Err(LedgerError::Damaged(sound));
        }
        let beginning = Head { entries: 0, digest: BEGINNING };
        let mut met = expected.is_none_or(|expected| expected == beginning);
        let end =
            self.each(None, |kept| met |= expected == Some(Head { entries: kept.number, digest: kept.digest }))?;
        match expected {
            Some(expected) if !met => Err(LedgerError::Broken(format!(
                "it had {} entries ending in {expected}, and that is not in its history",
                expected.entries
            ))),
            _ => Ok(end),
        }
    }
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, LedgerError> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}

fn head(connection: &Connection) -> Result<Head, LedgerError> {
    let last = connection
        .prepare_cached("SELECT number, digest FROM entry ORDER BY number DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))
        .optional()?;
    Ok(match last {
        None => Head { entries: 0, digest: BEGINNING },
        Some((number, digest)) => Head { entries: number.unsigned_abs(), digest },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Acceptance;

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
        // The end alone can be cut off unseen, but for a head that was kept elsewhere.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.db");
        let head = filled(&path);
        alter(&path, "DELETE FROM entry WHERE number = 3");
        let ledger = Ledger::open_existing(&path).unwrap();
        assert!(ledger.check(None).is_ok());
        assert!(matches!(ledger.check(Some(head)), Err(LedgerError::Broken(_))));
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
        alter(&newer, "PRAGMA user_version = 2");
        assert_eq!(Ledger::open(&newer).unwrap_err(), LedgerError::Newer(2));
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
        assert!(matches!(Ledger::open_existing(&folder.path().join("none.db")), Err(LedgerError::Io(_))));
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
}
