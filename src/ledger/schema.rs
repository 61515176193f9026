//! The tables of each released format. A ledger contains these and nothing else: a trigger, a view or another table
//! could change what an entry says without breaking the chain.

use rusqlite::Connection;

use super::LedgerError;

/// Application id of a ledger (SQLite, *PRAGMA application_id*): "sami".
const APPLICATION: i64 = 0x7361_6D69;

/// The format that is written. All formats have the same tables. Entries of format 2 record what puts a state in doubt,
/// and those of format 3 that a proof did not read the object; an older version would ignore both.
pub(super) const FORMAT: i64 = 3;

/// A row of *sqlite_schema*: type, name, table and statement, byte for byte.
type Object = (&'static str, &'static str, &'static str, &'static str);

const ENTRY: &str = "CREATE TABLE entry (
                    number INTEGER PRIMARY KEY,
                    target TEXT NOT NULL,
                    document TEXT NOT NULL,
                    digest BLOB NOT NULL
                 ) STRICT";

const TABLES: &[Object] = &[("table", "entry", "entry", ENTRY)];

const FORMATS: [(i64, &[Object]); 3] = [(1, TABLES), (2, TABLES), (FORMAT, TABLES)];

/// Creates a ledger in an empty database.
pub(super) fn begin(connection: &Connection) -> Result<(), LedgerError> {
    connection.execute_batch(ENTRY)?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    write_format(connection)
}

/// Writes the format number. SQLite writes the first page of the file for this even if the number stays the same.
pub(super) fn write_format(connection: &Connection) -> Result<(), LedgerError> {
    Ok(connection.pragma_update(None, "user_version", FORMAT)?)
}

/// Whether nothing has been created in a database yet.
pub(super) fn is_empty(connection: &Connection) -> Result<bool, LedgerError> {
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(objects == 0 && pragma(connection, "application_id")? == 0)
}

/// Compares a database with the format that it states.
///
/// # Errors
///
/// `Foreign` for a database of another program, `Newer` for a format that is not known yet, `Schema` for an object that
/// the format does not have, and `Damaged` for a missing one.
pub(super) fn check(connection: &Connection) -> Result<(), LedgerError> {
    if pragma(connection, "application_id")? != APPLICATION {
        return Err(LedgerError::Foreign("it is a database of something else".to_owned()));
    }
    let format = pragma(connection, "user_version")?;
    let released = FORMATS.iter().find(|(number, _)| *number == format);
    let (_, objects) = released.ok_or_else(|| match format {
        newer if newer > FORMAT => LedgerError::Newer(newer),
        odd => LedgerError::Schema(format!("no released version has written format {odd}")),
    })?;
    let mut missing: Vec<&Object> = objects.iter().collect();
    let mut select = connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let text = |column: usize| Ok::<_, LedgerError>(row.get::<_, Option<String>>(column)?.unwrap_or_default());
        let (kind, name, table, sql) = (text(0)?, text(1)?, text(2)?, text(3)?);
        let own = missing.iter().position(|own| (own.0, own.1) == (kind.as_str(), name.as_str()));
        let shown = format!("{} `{}`", kind.escape_debug(), name.escape_debug());
        match own.map(|own| missing.swap_remove(own)) {
            None => return Err(LedgerError::Schema(format!("format {format} has no {shown}"))),
            Some(own) if (own.2, own.3) != (table.as_str(), sql.as_str()) => {
                return Err(LedgerError::Schema(format!("the {shown} is not as format {format} defines it")));
            }
            Some(_) => {}
        }
    }
    match missing.first() {
        Some((kind, name, ..)) => Err(LedgerError::Damaged(format!("the {kind} `{name}` is missing"))),
        None => Ok(()),
    }
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, LedgerError> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(alter: &str) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        begin(&connection).unwrap();
        connection.execute_batch(alter).unwrap();
        connection
    }

    #[test]
    fn what_no_format_has_is_refused_by_name() {
        assert_eq!(check(&ledger("")), Ok(()));
        for format in 1..=FORMAT {
            assert_eq!(check(&ledger(&format!("PRAGMA user_version = {format}"))), Ok(()));
        }
        for (sql, named) in [
            ("CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry; END", "trigger `t`"),
            ("CREATE TRIGGER t BEFORE INSERT ON entry BEGIN SELECT RAISE(IGNORE); END", "trigger `t`"),
            ("CREATE VIEW v AS SELECT * FROM entry", "view `v`"),
            ("CREATE INDEX i ON entry (target)", "index `i`"),
            ("CREATE UNIQUE INDEX i ON entry (target) WHERE target LIKE '%x'", "index `i`"),
            ("CREATE TABLE other (a)", "table `other`"),
            ("CREATE TABLE other (a UNIQUE)", "`other`"),
            ("ANALYZE", "table `sqlite_stat1`"),
            ("ALTER TABLE entry ADD COLUMN more TEXT", "table `entry` is not as"),
            ("ALTER TABLE entry RENAME TO entries", "table `entries`"),
            ("DROP TABLE entry; CREATE VIEW entry AS SELECT 1 AS number", "view `entry`"),
            ("DROP TABLE entry; CREATE TABLE entry (number, target, document, digest)", "table `entry` is not as"),
            ("CREATE VIRTUAL TABLE f USING fts5(a)", "table `f"),
            ("CREATE TABLE \"x\u{202e}\" (a)", "table `x\\u{202e}`"),
            ("PRAGMA user_version = 0", "format 0"),
            ("PRAGMA user_version = -1", "format -1"),
        ] {
            match check(&ledger(sql)) {
                Err(LedgerError::Schema(problem)) => assert!(problem.contains(named), "{sql}: {problem}"),
                other => panic!("{sql}: {other:?}"),
            }
        }
        assert_eq!(check(&ledger("PRAGMA user_version = 4")), Err(LedgerError::Newer(4)));
        assert!(matches!(check(&ledger("DROP TABLE entry")), Err(LedgerError::Damaged(_))));
        assert!(matches!(check(&ledger("PRAGMA application_id = 1")), Err(LedgerError::Foreign(_))));
    }
}
