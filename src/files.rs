//! Files that are there whole or not at all.

use std::io::{self, Write};
use std::path::Path;

/// Written beside its place and moved there, so that whatever ends the process leaves the old file or the new one.
pub fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The name is on disk with the folder only.
    std::fs::File::open(folder)?.sync_all()
}
