use std::collections::BTreeMap;
use std::io::{self, Seek as _, Write};

use tempfile::{SpooledTempFile, spooled_tempfile};

use crate::report::Severity;

/// Text of one severity that is kept in memory; more goes to a temporary file.
const IN_MEMORY: usize = 256 << 10;

/// Texts in the order of severity, and within one severity in the order in which they were added.
#[derive(Default)]
pub(super) struct BySeverity {
    texts: BTreeMap<Severity, SpooledTempFile>,
    failed: Option<io::Error>,
}

impl BySeverity {
    /// Adds a text. The first error is returned by [`BySeverity::finish`].
    pub(super) fn add(&mut self, severity: Severity, text: impl FnOnce() -> io::Result<Vec<u8>>) {
        if self.failed.is_some() {
            return;
        }
        let spool = self.texts.entry(severity).or_insert_with(|| spooled_tempfile(IN_MEMORY));
        self.failed = text().and_then(|text| spool.write_all(&text)).err();
    }

    /// Writes the texts, the worst first.
    ///
    /// # Errors
    ///
    /// A text could not be made, kept or written.
    pub(super) fn finish(self, out: &mut dyn Write) -> io::Result<()> {
        match self.failed {
            Some(error) => Err(error),
            None => self.texts.into_values().try_for_each(|mut spool| {
                spool.rewind()?;
                io::copy(&mut spool, out).map(drop)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_first_in_memory_and_in_a_file() {
        let mut texts = BySeverity::default();
        for (severity, text) in [
            (Severity::Good, "c".repeat(IN_MEMORY + 1)),
            (Severity::Damaged, "a".into()),
            (Severity::Damaged, "b".into()),
        ] {
            texts.add(severity, || Ok(text.into_bytes()));
        }
        let mut out = Vec::new();
        texts.finish(&mut out).unwrap();
        assert_eq!((out.len(), &out[..3]), (IN_MEMORY + 3, &b"abc"[..]));
        let mut texts = BySeverity::default();
        texts.add(Severity::Good, || Err(io::ErrorKind::StorageFull.into()));
        texts.add(Severity::Good, || Ok(Vec::new()));
        assert_eq!(texts.finish(&mut Vec::new()).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
