//! Copies in other Regions.

use rusqlite::{OptionalExtension, params};

use super::Scratch;
use crate::ledger::LedgerError;

impl Scratch {
    /// Adds the names of the checksums by which an object that can serve as a copy can be told apart from others of its
    /// size in bytes. [`Scratch::add_object`] adds its values.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::add_place`].
    pub fn add_comparable(&self, bytes: u64, region: &str, names: &str) -> Result<(), LedgerError> {
        let mut insert = self.connection.prepare_cached("INSERT OR IGNORE INTO comparable VALUES (?1, ?2, ?3)")?;
        insert.execute(params![i64::try_from(bytes).unwrap_or(i64::MAX), region, names])?;
        Ok(())
    }

    /// Sorts the objects that can serve as copies. To be called once, before the first question about them.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::add_place`].
    pub fn sort_copies(&self) -> Result<(), LedgerError> {
        let sql = "CREATE INDEX content_by_value ON content (bytes, value, region) WHERE region IS NOT NULL";
        Ok(self.connection.execute_batch(sql)?)
    }

    /// Another Region than `here` that holds an object of this size in bytes with this value.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::places`].
    pub fn elsewhere(&self, bytes: u64, value: &str, here: &str) -> Result<Option<String>, LedgerError> {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        // Two searches: one for all others would walk over the objects of this Region.
        for sql in [
            "SELECT region FROM content WHERE bytes = ?1 AND value = ?2 AND region IS NOT NULL AND region < ?3
             ORDER BY region LIMIT 1",
            "SELECT region FROM content WHERE bytes = ?1 AND value = ?2 AND region IS NOT NULL AND region > ?3
             ORDER BY region LIMIT 1",
        ] {
            let mut select = self.connection.prepare_cached(sql)?;
            if let Some(region) = select.query_row(params![bytes, value, here], |row| row.get(0)).optional()? {
                return Ok(Some(region));
            }
        }
        Ok(None)
    }

    /// The names of checksums that objects of this size in bytes have in other Regions than `here`, with the Region.
    ///
    /// # Errors
    ///
    /// As for [`Scratch::places`].
    pub fn comparable_elsewhere(&self, bytes: u64, here: &str) -> Result<Vec<(String, String)>, LedgerError> {
        let sql = "SELECT region, names FROM comparable WHERE bytes = ?1 AND region <> ?2 ORDER BY region, names";
        let mut select = self.connection.prepare_cached(sql)?;
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let rows = select.query_map(params![bytes, here], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_in_other_regions_only() {
        let scratch = Scratch::new().unwrap();
        for (name, bytes, region) in
            [("a", 5, Some("eu")), ("b", 5, Some("us")), ("c", 6, Some("ap")), ("d", 5, None), ("e", 7, None)]
        {
            scratch.add_object(name, bytes, &["crc:x".to_owned()], region).unwrap();
        }
        scratch.sort_copies().unwrap();
        let found = |bytes, here| scratch.elsewhere(bytes, "crc:x", here).unwrap();
        assert_eq!(found(5, "eu").as_deref(), Some("us"));
        assert_eq!(found(5, "us").as_deref(), Some("eu"));
        assert_eq!(found(6, "ap"), None);
        assert_eq!(found(7, "ap"), None);
        assert_eq!(scratch.elsewhere(5, "crc:y", "ap").unwrap(), None);
        for region in ["eu", "us", "us"] {
            scratch.add_comparable(5, region, "crc32 sha256").unwrap();
        }
        let names = vec![("us".to_owned(), "crc32 sha256".to_owned())];
        assert_eq!(scratch.comparable_elsewhere(5, "eu").unwrap(), names);
        assert_eq!(scratch.comparable_elsewhere(6, "eu").unwrap(), []);
    }
}
