use std::fs::File;
use std::io;

use crate::content::{Blocks, Source};

/// The parts of an upload as one run of bytes: pieces of memory are shared,
/// files are appended to a copy of the first.
pub(super) async fn assemble(parts: Vec<Source>) -> io::Result<Source> {
    let in_memory: Option<Vec<Blocks>> = parts
        .iter()
        .map(|part| match part {
            Source::Memory(blocks) => Some(blocks.clone()),
            Source::File { .. } | Source::Synthetic(_) => None,
        })
        .collect();
    match in_memory {
        Some(blocks) => Ok(Source::Memory(Blocks::concat(&blocks))),
        None => tokio::task::spawn_blocking(move || append(&parts)).await.map_err(io::Error::other)?,
    }
}

fn append(parts: &[Source]) -> io::Result<Source> {
    let files: Vec<_> = parts
        .iter()
        .filter_map(|part| match part {
            Source::File { path, .. } => Some(path),
            Source::Memory(_) | Source::Synthetic(_) => None,
        })
        .collect();
    let Some(first) = files.first() else { return Err(io::ErrorKind::NotFound.into()) };
    let path = first.with_extension("whole");
    let mut whole = File::create(&path)?;
    let mut len = 0;
    for part in files {
        len += io::copy(&mut File::open(part)?, &mut whole)?;
    }
    Ok(Source::File { path, len })
}
