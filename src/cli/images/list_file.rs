use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::usage::{UsageError, read_given};
use crate::files::{InputKind, Place};
use crate::ident::{AmiId, BucketPath, ImageName, ObjectUri};

/// One restore of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RestoreLine {
    /// Line of the file, from 1.
    pub line: u64,
    pub target: ObjectUri,
    pub name: ImageName,
    /// Record of the store, if one is named.
    pub record: Option<PathBuf>,
}

/// Reads a list of restores: lines of object, name and perhaps a record.
///
/// # Errors
///
/// The file cannot be read, a line is wrong, or a name is given twice.
pub(super) fn restore_lines(path: &Path) -> Result<Vec<RestoreLine>, UsageError> {
    let text = read_given("--from", path, InputKind::List)?;
    parse_restores(&text).map_err(|problem| UsageError(format!("--from {}: {problem}", path.display())))
}

/// One store of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoreLine {
    /// Line of the file, from 1.
    pub line: u64,
    pub image: AmiId,
    pub into: BucketPath,
    /// Where to write the record of the store, if it is kept.
    pub record: Option<PathBuf>,
}

/// Reads a list of stores: lines of AMI, bucket and perhaps a record.
///
/// # Errors
///
/// The file cannot be read, a line is wrong, or an AMI is to be stored twice into a bucket, or a record written twice.
pub(super) fn store_lines(path: &Path) -> Result<Vec<StoreLine>, UsageError> {
    let text = read_given("--from", path, InputKind::List)?;
    parse_stores(&text).map_err(|problem| UsageError(format!("--from {}: {problem}", path.display())))
}

/// A line of a list, by its columns.
struct Columns<'a> {
    line: u64,
    first: &'a str,
    second: &'a str,
    record: Option<PathBuf>,
}

/// The lines of two or three columns with tabs between them, because names may contain spaces. Empty lines and lines that
/// begin with `#` are left out.
fn columns<'a>(text: &'a str, expected: &str) -> Result<Vec<Columns<'a>>, String> {
    let mut found = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        if content.trim().is_empty() || content.starts_with('#') {
            continue;
        }
        let columns: Vec<&str> = content.split('\t').map(str::trim).collect();
        let (first, second, record) = match columns[..] {
            [first, second] => (first, second, ""),
            [first, second, record] => (first, second, record),
            _ => return Err(format!("line {line}: write {expected}, with one tab between two of them")),
        };
        let record = Some(PathBuf::from(record)).filter(|record| !record.as_os_str().is_empty());
        found.push(Columns { line, first, second, record });
    }
    match found.is_empty() {
        true => Err("the list is empty".to_owned()),
        false => Ok(found),
    }
}

fn parse_restores(text: &str) -> Result<Vec<RestoreLine>, String> {
    let mut lines = BTreeMap::new();
    let all = columns(text, "object, name and, if there is one, record")?;
    let parsed = all.into_iter().map(|Columns { line, first, second, record }| {
        let target: ObjectUri = first.parse().map_err(|error| format!("line {line}: {first}: {error}"))?;
        let name: ImageName = second.parse().map_err(|error| format!("line {line}: {error}"))?;
        match lines.insert(name.to_string(), line) {
            Some(before) => {
                Err(format!("lines {before} and {line}: the name `{name}` is given twice; EC2 keeps names unique"))
            }
            None => Ok(RestoreLine { line, target, name, record }),
        }
    });
    parsed.collect()
}

fn parse_stores(text: &str) -> Result<Vec<StoreLine>, String> {
    let (mut copies, mut records) = (BTreeMap::new(), BTreeMap::new());
    let all = columns(text, "AMI, bucket and, if it is kept, record")?;
    let parsed = all.into_iter().map(|Columns { line, first, second, record }| {
        let image: AmiId = first.parse().map_err(|error| format!("line {line}: {error}"))?;
        let into: BucketPath = second.parse().map_err(|error| format!("line {line}: {error}"))?;
        if let Some(before) = copies.insert((image.to_string(), into.bucket.clone()), line) {
            return Err(format!(
                "lines {before} and {line}: {image} twice into {}, which takes an AMI once",
                into.bucket
            ));
        }
        // What cannot be resolved cannot be written either, which is reported before anything is asked.
        let place = record.as_deref().and_then(|path| Some((path, Place::of(path).ok()?)));
        if let Some((path, place)) = place
            && let Some(before) = records.insert(place, line)
        {
            return Err(format!("lines {before} and {line}: the record {} is named twice", path.display()));
        }
        Ok(StoreLine { line, image, into, record })
    });
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_object_name_and_record() {
        let text = "# tonight\n\ns3://b/ami-1.bin\tgolden one\r\ns3://b/k y.bin\tother\trecords/other.json\n";
        let lines = parse_restores(text).unwrap();
        let shown: Vec<_> =
            lines.iter().map(|line| (line.line, line.target.to_string(), line.name.to_string())).collect();
        assert_eq!(shown[0], (3, "s3://b/ami-1.bin".to_owned(), "golden one".to_owned()));
        assert_eq!((shown[1].0, lines[1].record.as_deref()), (4, Some(Path::new("records/other.json"))));
        for (text, problem) in [
            ("", "the list is empty"),
            ("# x\n", "the list is empty"),
            ("s3://b/k", "line 1: write object, name"),
            ("s3://b/k\ta b\tc\td", "line 1: write object, name"),
            ("b/k\tgolden", "line 1: b/k:"),
            ("s3://b/k\tx", "line 1:"),
            ("s3://b/k\tgolden\n\ns3://b/l\tgolden", "lines 1 and 3: the name `golden` is given twice"),
        ] {
            let found = parse_restores(text).unwrap_err();
            assert!(found.starts_with(problem), "{found}");
        }
    }
}
