//! Texts that are written in the order of their names, in memory that does not grow with their number.

use std::io::{self, Write};

use crate::ledger::{LedgerError, Scratch, ScratchLine};

/// Texts that are kept in memory; with more, all are in temporary tables.
const IN_MEMORY: usize = 1_000;

/// Texts with their names.
#[derive(Default)]
pub(super) struct SortedTexts {
    texts: Vec<(String, String)>,
    /// Temporary tables, once there are many texts.
    tables: Option<Scratch>,
    count: u32,
}

/// An error of the tables or of the output.
struct WriteError(io::Error);

impl From<LedgerError> for WriteError {
    fn from(error: LedgerError) -> Self {
        WriteError(io::Error::other(error.to_string()))
    }
}

impl SortedTexts {
    /// Number of texts.
    pub(super) fn len(&self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX)
    }

    /// Adds a text.
    ///
    /// # Errors
    ///
    /// The temporary tables cannot be written.
    pub(super) fn add(&mut self, name: String, text: String) -> io::Result<()> {
        self.count = self.count.saturating_add(1);
        if self.tables.is_none() && self.texts.len() < IN_MEMORY {
            self.texts.push((name, text));
            return Ok(());
        }
        self.spill((name, text)).map_err(|WriteError(error)| error)
    }

    fn spill(&mut self, last: (String, String)) -> Result<(), WriteError> {
        let tables = match self.tables.take() {
            Some(tables) => tables,
            None => Scratch::new()?,
        };
        for (name, document) in self.texts.drain(..).chain([last]) {
            tables.add_line(&name, &ScratchLine { source: 0, rank: 0, document })?;
        }
        self.tables = Some(tables);
        Ok(())
    }

    /// Writes the texts in the order of their names.
    ///
    /// # Errors
    ///
    /// The temporary tables cannot be read, or the output cannot be written.
    pub(super) fn write(mut self, out: &mut impl Write) -> io::Result<()> {
        let Some(tables) = self.tables else {
            self.texts.sort();
            return self.texts.iter().try_for_each(|(_, text)| out.write_all(text.as_bytes()));
        };
        let write = |_: &str, lines: Vec<ScratchLine>| {
            lines.iter().try_for_each(|line| out.write_all(line.document.as_bytes())).map_err(WriteError)
        };
        let sorted = tables.sort_lines().map_err(WriteError::from);
        sorted.and_then(|()| tables.each_of_lines(write)).map_err(|WriteError(error)| error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_texts_are_in_order_too() {
        for count in [3, IN_MEMORY, IN_MEMORY + 1, 2 * IN_MEMORY] {
            let mut texts = SortedTexts::default();
            for number in (0..count).rev() {
                texts.add(format!("{number:05}"), format!("{number}\n")).unwrap();
            }
            assert_eq!((texts.len(), texts.tables.is_some()), (count, count > IN_MEMORY));
            let mut out = Vec::new();
            texts.write(&mut out).unwrap();
            let expected: String = (0..count).map(|number| format!("{number}\n")).collect();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
