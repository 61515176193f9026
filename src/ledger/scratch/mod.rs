//! Temporary tables of one run. SQLite keeps them in a file without a name, so that the memory of a run does not depend
//! on the number of objects.

mod copies;
mod lines;

use rusqlite::{Connection, params};

use super::LedgerError;
use super::chain::Link;
use crate::audit::MOST_NAMES;

pub use lines::{ScratchLine, ScratchObservation};

/// Pages of the tables that are kept in memory, in KiB.
const CACHE: i64 = 4 << 10;

const TABLES: &str = "
    CREATE TABLE place (target TEXT NOT NULL, number INTEGER NOT NULL, digest BLOB NOT NULL);
    CREATE TABLE listed (target TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE queue (turn TEXT NOT NULL, key TEXT NOT NULL, document TEXT NOT NULL);
    CREATE TABLE content (bytes INTEGER NOT NULL, value TEXT NOT NULL, target TEXT NOT NULL, region TEXT);
    CREATE TABLE comparable (bytes INTEGER NOT NULL, region TEXT NOT NULL, names TEXT NOT NULL,
        PRIMARY KEY (bytes, region, names)) WITHOUT ROWID;
    CREATE TABLE line (target TEXT NOT NULL, source INTEGER NOT NULL, rank INTEGER NOT NULL, document TEXT NOT NULL);
    CREATE TABLE observed (kind TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,
        PRIMARY KEY (kind, subject, detail)) WITHOUT ROWID;
    CREATE TABLE object (target TEXT NOT NULL);
    CREATE TABLE alike (names BLOB NOT NULL, more INTEGER NOT NULL, value TEXT NOT NULL);
    BEGIN;";

/// Temporary tables.
#[derive(Debug)]
pub struct Scratch {
    connection: Connection,
}

/// Where the ledger keeps an entry, and the digest of the history up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Number of the entry.
    pub number: u64,
    /// The digest that was verified.
    pub digest: Link,
}

/// A position in the queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueuePosition {
    turn: String,
    key: String,
    row: i64,
}

/// Objects with the same content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    /// Their names in order, at most [`MOST_NAMES`].
    pub names: Vec<String>,
    /// Number of further objects.
    pub more: u64,
    /// The values that they have in common.
    pub values: Vec<String>,
}

impl Scratch {
    /// Creates the tables.
    ///
    /// # Errors
    ///
    /// No temporary file can be created.
    pub fn new() -> Result<Self, LedgerError> {
        let connection = Connection::open("")?;
        connection.pragma_update(None, "journal_mode", "OFF")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.pragma_update(None, "cache_size", -CACHE)?;
        connection.execute_batch(TABLES)?;
        Ok(Scratch { connection })
    }

    /// Adds the place of an entry of the ledger.
    ///
    /// # Errors
    ///
    /// The temporary file cannot be written, as for all methods.
    pub fn add_place(&self, target: &str, place: Place) -> Result<(), LedgerError> {
        let mut insert = self.connection.prepare_cached("INSERT INTO place VALUES (?1, ?2, ?3)")?;
        let number = i64::try_from(place.number).unwrap_or(i64::MAX);
        insert.execute(params![target, number, &place.digest[..]])?;
        Ok(())
    }

    /// Sorts the places by target.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::add_place`].
    pub fn sort_places(&self) -> Result<(), LedgerError> {
        Ok(self.connection.execute_batch("CREATE INDEX place_by_target ON place (target, number)")?)
    }

    /// The entries of a target, in the order of the ledger.
    ///
    /// # Errors
    ///
    /// The temporary file cannot be read.
    pub fn places(&self, target: &str) -> Result<Vec<Place>, LedgerError> {
        let sql = "SELECT number, digest FROM place WHERE target = ?1 ORDER BY number";
        let mut select = self.connection.prepare_cached(sql)?;
        let mut rows = select.query([target])?;
        let mut places = Vec::new();
        while let Some(row) = rows.next()? {
            let number = u64::try_from(row.get::<_, i64>(0)?).unwrap_or_default();
            let digest = row.get::<_, Vec<u8>>(1)?.try_into().unwrap_or_default();
            places.push(Place { number, digest });
        }
        Ok(places)
    }

    /// Adds a listed object. Returns whether it is new.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::add_place`].
    pub fn add_listed(&self, target: &str) -> Result<bool, LedgerError> {
        Ok(self.connection.prepare_cached("INSERT OR IGNORE INTO listed VALUES (?1)")?.execute([target])? == 1)
    }

    /// Targets of the ledger, in order, that come after `after` and were not listed; at most `most`.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::places`].
    pub fn unlisted(&self, after: &str, most: usize) -> Result<Vec<String>, LedgerError> {
        let sql = "SELECT DISTINCT target FROM place WHERE target > ?1
                   AND NOT EXISTS (SELECT 1 FROM listed WHERE listed.target = place.target)
                   ORDER BY target LIMIT ?2";
        let mut select = self.connection.prepare_cached(sql)?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let names = select.query_map(params![after, most], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Adds a document to the queue.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::add_place`].
    pub fn add_queued(&self, turn: &str, key: &str, document: &str) -> Result<(), LedgerError> {
        self.connection.prepare_cached("INSERT INTO queue VALUES (?1, ?2, ?3)")?.execute([turn, key, document])?;
        Ok(())
    }

    /// Sorts the queue by turn and key.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::add_place`].
    pub fn sort_queue(&self) -> Result<(), LedgerError> {
        Ok(self.connection.execute_batch("CREATE INDEX queue_by_turn ON queue (turn, key)")?)
    }

    /// The next documents of the queue after a position, which is moved; at most `most`.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::places`].
    pub fn queued(&self, at: &mut QueuePosition, most: usize) -> Result<Vec<String>, LedgerError> {
        let sql = "SELECT turn, key, rowid, document FROM queue WHERE (turn, key, rowid) > (?1, ?2, ?3)
                   ORDER BY turn, key, rowid LIMIT ?4";
        let mut select = self.connection.prepare_cached(sql)?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut documents = Vec::new();
        let mut next = at.clone();
        let mut rows = select.query(params![at.turn, at.key, at.row, most])?;
        while let Some(row) = rows.next()? {
            next = QueuePosition { turn: row.get(0)?, key: row.get(1)?, row: row.get(2)? };
            documents.push(row.get(3)?);
        }
        drop(rows);
        *at = next;
        Ok(documents)
    }

    /// Adds an object, and the values of its content with its size in bytes. `region` is where it can serve as a copy of
    /// objects in other Regions.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::add_place`].
    pub fn add_object(
        &self,
        target: &str,
        bytes: u64,
        values: &[String],
        region: Option<&str>,
    ) -> Result<(), LedgerError> {
        self.connection.prepare_cached("INSERT INTO object VALUES (?1)")?.execute([target])?;
        let mut insert = self.connection.prepare_cached("INSERT INTO content VALUES (?1, ?2, ?3, ?4)")?;
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        for value in values {
            insert.execute(params![bytes, value, target, region])?;
        }
        Ok(())
    }

    /// Visits the objects in order.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::places`].
    pub fn each_object(&self, mut visit: impl FnMut(String)) -> Result<(), LedgerError> {
        let mut select = self.connection.prepare("SELECT target FROM object ORDER BY target")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            visit(row.get(0)?);
        }
        Ok(())
    }

    /// Visits the groups of objects with the same size and a common value, in the order of their names. Groups of the
    /// same objects are one.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::add_place`].
    pub fn each_alike(&self, mut visit: impl FnMut(Alike)) -> Result<(), LedgerError> {
        self.group()?;
        let sql = "SELECT names, more, value FROM alike ORDER BY names, more, value";
        let mut select = self.connection.prepare(sql)?;
        let mut rows = select.query([])?;
        let mut last: Option<(Vec<u8>, Alike)> = None;
        while let Some(row) = rows.next()? {
            let (names, more): (Vec<u8>, i64) = (row.get(0)?, row.get(1)?);
            let (more, value) = (u64::try_from(more).unwrap_or_default(), row.get(2)?);
            match &mut last {
                Some((known, alike)) if *known == names && alike.more == more => alike.values.push(value),
                _ => {
                    let of_names = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
                    let alike = Alike { names: names.split(is_end).map(of_names).collect(), more, values: vec![value] };
                    if let Some((_, done)) = last.replace((names, alike)) {
                        visit(done);
                    }
                }
            }
        }
        if let Some((_, done)) = last {
            visit(done);
        }
        Ok(())
    }

    /// Writes each value that several objects have, with their names.
    fn group(&self) -> Result<(), LedgerError> {
        self.connection.execute_batch("DELETE FROM alike")?;
        let mut select =
            self.connection.prepare("SELECT bytes, value, target FROM content ORDER BY bytes, value, target")?;
        let mut insert = self.connection.prepare("INSERT INTO alike VALUES (?1, ?2, ?3)")?;
        let mut rows = select.query([])?;
        let mut group = Group::default();
        let mut write = |group: Group| match group.names.len() {
            0 | 1 => Ok(()),
            _ => {
                let names = group.names.join(&END);
                insert.execute(params![names, group.more, group.of.1]).map(drop)
            }
        };
        while let Some(row) = rows.next()? {
            let (of, name): (_, String) = ((row.get(0)?, row.get(1)?), row.get(2)?);
            if group.of != of {
                write(std::mem::replace(&mut group, Group { of, ..Group::default() }))?;
            }
            match group.names.len() < MOST_NAMES {
                true => group.names.push(name.into_bytes()),
                false => group.more += 1,
            }
        }
        Ok(write(group)?)
    }
}

/// Ends a name; no key contains it.
const END: u8 = 0;

fn is_end(byte: &u8) -> bool {
    *byte == END
}

/// The objects that have one value.
#[derive(Default)]
struct Group {
    of: (i64, String),
    names: Vec<Vec<u8>>,
    more: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> Scratch {
        Scratch::new().unwrap()
    }

    #[test]
    fn entries_are_found_by_target_and_what_was_not_listed_is_named_in_order() {
        let scratch = scratch();
        let place = |number: u64| Place { number, digest: [number as u8; 32] };
        for (number, target) in (1..).zip(["s3://b/c", "s3://b/a", "s3://b/c", "s3://b/b", "s3://b/d"]) {
            scratch.add_place(target, place(number)).unwrap();
        }
        scratch.sort_places().unwrap();
        assert_eq!(scratch.places("s3://b/c").unwrap(), [place(1), place(3)]);
        assert_eq!(scratch.places("s3://b/x").unwrap(), []);
        assert!(scratch.add_listed("s3://b/b").unwrap());
        assert!(!scratch.add_listed("s3://b/b").unwrap());
        assert_eq!(scratch.unlisted("", 2).unwrap(), ["s3://b/a", "s3://b/c"]);
        assert_eq!(scratch.unlisted("s3://b/c", 2).unwrap(), ["s3://b/d"]);
    }

    #[test]
    fn the_queue_comes_back_in_pages_by_turn_and_key() {
        let scratch = scratch();
        for (turn, key) in [("2", "a"), ("", "b"), ("1", "c"), ("", "a"), ("1", "c")] {
            scratch.add_queued(turn, key, &format!("{turn}{key}")).unwrap();
        }
        scratch.sort_queue().unwrap();
        let (mut at, mut all) = (QueuePosition::default(), Vec::new());
        loop {
            let page = scratch.queued(&mut at, 2).unwrap();
            if page.is_empty() {
                break;
            }
            all.extend(page);
        }
        assert_eq!(all, ["a", "b", "1c", "1c", "2a"]);
    }

    #[test]
    fn the_same_objects_are_one_group_whatever_values_they_share() {
        let scratch = scratch();
        let add = |name: &str, bytes, values: &[&str]| {
            let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            scratch.add_object(name, bytes, &values, None).unwrap();
        };
        add("e", 5, &["etag:y", "crc:x"]);
        add("a", 5, &["crc:x", "etag:y"]);
        add("b", 5, &["sha:z"]);
        add("c", 6, &["sha:z"]);
        add("d", 5, &["sha:z"]);
        let mut found = Vec::new();
        scratch.each_alike(|alike| found.push((alike.names.join(" "), alike.more, alike.values.join(" ")))).unwrap();
        let expected = [("a e", 0, "crc:x etag:y"), ("b d", 0, "sha:z")];
        assert_eq!(found, expected.map(|(names, more, values)| (names.to_owned(), more, values.to_owned())));
        for number in 0..MOST_NAMES {
            add(&format!("f{number:03}"), 7, &["sha:f"]);
        }
        add("g", 7, &["sha:f"]);
        found.clear();
        scratch.each_alike(|alike| found.push((alike.names[0].clone(), alike.more, String::new()))).unwrap();
        assert_eq!(found.last(), Some(&("f000".to_owned(), 1, String::new())));
    }
}
