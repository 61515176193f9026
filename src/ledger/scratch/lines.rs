//! Lines of objects and observations that wait until all of them are known.

use rusqlite::params;

use super::Scratch;
use crate::ledger::LedgerError;

/// A line of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScratchLine {
    /// Where it is from, by a number of the caller.
    pub source: u32,
    /// How it compares with lines of the same object from other sources; a lower one stands.
    pub rank: u8,
    /// The line.
    pub document: String,
}

/// An observation over all objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScratchObservation {
    /// The kind of observation.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// The observation.
    pub detail: String,
}

impl Scratch {
    /// Adds the line of an object.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::add_place`].
    pub fn add_line(&self, target: &str, line: &ScratchLine) -> Result<(), LedgerError> {
        let mut insert = self.connection.prepare_cached("INSERT INTO line VALUES (?1, ?2, ?3, ?4)")?;
        insert.execute(params![target, line.source, line.rank, line.document])?;
        Ok(())
    }

    /// The position behind the line that was added last.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::places`].
    pub fn last_line(&self) -> Result<i64, LedgerError> {
        Ok(self.connection.query_row("SELECT coalesce(max(rowid), 0) FROM line", [], |row| row.get(0))?)
    }

    /// Visits the lines that were added behind a position, in the order in which they were added.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::places`], and those of `visit`.
    pub fn each_line_after<E: From<LedgerError>>(
        &self,
        position: i64,
        mut visit: impl FnMut(ScratchLine) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT target, source, rank, document FROM line WHERE rowid > ?1 ORDER BY rowid";
        let mut select = self.connection.prepare(sql).map_err(LedgerError::from)?;
        let mut rows = select.query([position]).map_err(LedgerError::from)?;
        while let Some(row) = rows.next().map_err(LedgerError::from)? {
            visit(line_of(row)?.1)?;
        }
        Ok(())
    }

    /// Sorts the lines by object.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::add_place`].
    pub fn sort_lines(&self) -> Result<(), LedgerError> {
        Ok(self.connection.execute_batch("CREATE INDEX line_by_target ON line (target, source)")?)
    }

    /// Visits the objects in order, each with all its lines by source.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::places`], and those of `visit`.
    pub fn each_of_lines<E: From<LedgerError>>(
        &self,
        mut visit: impl FnMut(&str, Vec<ScratchLine>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT target, source, rank, document FROM line ORDER BY target, source";
        let mut select = self.connection.prepare(sql).map_err(LedgerError::from)?;
        let mut rows = select.query([]).map_err(LedgerError::from)?;
        let mut object: Option<(String, Vec<ScratchLine>)> = None;
        while let Some(row) = rows.next().map_err(LedgerError::from)? {
            let (target, line) = line_of(row)?;
            match &mut object {
                Some((of, lines)) if *of == target => lines.push(line),
                _ => {
                    if let Some((of, lines)) = object.replace((target, vec![line])) {
                        visit(&of, lines)?;
                    }
                }
            }
        }
        match object {
            Some((of, lines)) => visit(&of, lines),
            None => Ok(()),
        }
    }

    /// Adds an observation, unless it is there.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::add_place`].
    pub fn add_observation(&self, one: &ScratchObservation) -> Result<(), LedgerError> {
        let mut insert = self.connection.prepare_cached("INSERT OR IGNORE INTO observed VALUES (?1, ?2, ?3)")?;
        insert.execute(params![one.kind, one.subject, one.detail])?;
        Ok(())
    }

    /// Visits the observations by kind, subject and text.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::places`].
    pub fn each_observation(&self, mut visit: impl FnMut(ScratchObservation)) -> Result<(), LedgerError> {
        let sql = "SELECT kind, subject, detail FROM observed ORDER BY kind, subject, detail";
        let mut select = self.connection.prepare(sql)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            visit(ScratchObservation { kind: row.get(0)?, subject: row.get(1)?, detail: row.get(2)? });
        }
        Ok(())
    }
}

fn line_of(row: &rusqlite::Row<'_>) -> Result<(String, ScratchLine), LedgerError> {
    Ok((row.get(0)?, ScratchLine { source: row.get(1)?, rank: row.get(2)?, document: row.get(3)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_by_object_and_by_the_order_in_which_they_were_added() {
        let scratch = Scratch::new().unwrap();
        let line = |source, document: &str| ScratchLine { source, rank: 0, document: document.to_owned() };
        for (target, source, document) in [("b", 0, "1"), ("a", 0, "2")] {
            scratch.add_line(target, &line(source, document)).unwrap();
        }
        let position = scratch.last_line().unwrap();
        for (target, source, document) in [("b", 1, "3"), ("c", 1, "4")] {
            scratch.add_line(target, &line(source, document)).unwrap();
        }
        let mut after = Vec::new();
        let add = |line: ScratchLine| {
            after.push(line.document);
            Ok::<(), LedgerError>(())
        };
        scratch.each_line_after(position, add).unwrap();
        assert_eq!(after, ["3", "4"]);
        scratch.sort_lines().unwrap();
        let mut objects = Vec::new();
        let add = |target: &str, lines: Vec<ScratchLine>| {
            objects.push((target.to_owned(), lines));
            Ok::<(), LedgerError>(())
        };
        scratch.each_of_lines(add).unwrap();
        let expected = [("a", vec![line(0, "2")]), ("b", vec![line(0, "1"), line(1, "3")]), ("c", vec![line(1, "4")])];
        assert_eq!(objects, expected.map(|(target, lines)| (target.to_owned(), lines)));
    }
}
