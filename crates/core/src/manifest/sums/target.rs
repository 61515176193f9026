use std::path::{Component, Path};

use crate::ident::ObjectUri;

/// A target, and the folders that relative names in a checksum file may start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SumsTarget {
    /// The last segment of the target's name.
    name: String,
    /// Spellings that match exactly: the target as given, the key, and the key after its bucket.
    texts: Vec<String>,
    /// The complete path, in segments.
    path: Vec<String>,
    /// Folders from which a relative name may lead to the complete path.
    bases: Vec<Vec<String>>,
    /// Whether the target was given with a folder.
    in_folder: bool,
}

/// How well a name matches, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// Another last segment.
    No,
    /// The same last segment in another folder.
    Elsewhere,
    /// The same last segment, and one of the two has no folder.
    Name,
    /// The name's segments, of this number, are the last segments of the path.
    Suffix(usize),
    Exact,
}

impl SumsTarget {
    /// A target in S3. Its key, alone or after the bucket, is a complete path.
    pub fn object(uri: &ObjectUri) -> Self {
        let key = segments(&uri.key);
        let behind_bucket = format!("{}/{}", uri.bucket, uri.key);
        let here = uri.at_version(None).to_string();
        SumsTarget {
            name: last_segment_of(&uri.key),
            texts: vec![here, uri.key.clone(), behind_bucket.clone()],
            in_folder: key.len() > 1,
            path: segments(&behind_bucket),
            bases: vec![vec![uri.bucket.clone()], Vec::new()],
        }
    }

    /// A local file: the path as given, its complete path, and the folders that names may be relative to (the
    /// current folder and that of the checksum file).
    pub fn file(given: &Path, complete: &Path, folders: &[&Path]) -> Self {
        let text = given.to_string_lossy().into_owned();
        SumsTarget {
            name: last_segment_of(&text),
            in_folder: path_segments(given).len() > 1,
            texts: vec![text],
            path: path_segments(complete),
            bases: folders.iter().map(|folder| path_segments(folder)).collect(),
        }
    }

    /// The last segment of the target's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether `name` matches by its path, not only by its last segment.
    pub fn has_path(&self, name: &str) -> bool {
        matches!(self.fit(name), Fit::Exact | Fit::Suffix(_))
    }

    pub(super) fn fit(&self, name: &str) -> Fit {
        if self.texts.iter().any(|text| text == name) {
            return Fit::Exact;
        }
        let named = segments(name);
        if named.last() != Some(&self.name) {
            return Fit::No;
        }
        let complete = |base: &Vec<String>| resolve(base, &named) == self.path;
        let absolute = name.starts_with('/');
        if absolute && named == self.path || !absolute && self.bases.iter().any(complete) {
            Fit::Exact
        } else if !absolute && named.len() > 1 && self.path.ends_with(&named) {
            Fit::Suffix(named.len())
        } else if named.len() == 1 || !self.in_folder {
            Fit::Name
        } else {
            Fit::Elsewhere
        }
    }
}

fn last_segment_of(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The segments of a path without empty ones and `.`.
pub(super) fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|segment| !matches!(*segment, "" | ".")).map(str::to_owned).collect()
}

fn path_segments(path: &Path) -> Vec<String> {
    let mut plain = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => plain.push(name.to_string_lossy().into_owned()),
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    plain
}

fn resolve(base: &[String], named: &[String]) -> Vec<String> {
    let mut resolved = base.to_vec();
    for segment in named {
        match segment.as_str() {
            ".." => drop(resolved.pop()),
            name => resolved.push(name.to_owned()),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_meant_by_its_path_first() {
        let of = |given: &str, name: &str| {
            let complete = Path::new("/srv/here").join(given);
            SumsTarget::file(Path::new(given), &complete, &[Path::new("/srv/here"), Path::new("/srv/sums")]).fit(name)
        };
        for (given, name, fit) in [
            ("a/x.bin", "a/x.bin", Fit::Exact),
            ("a/x.bin", "./a/x.bin", Fit::Exact),
            ("a/x.bin", "/srv/here/a/x.bin", Fit::Exact),
            ("../sums/x.bin", "x.bin", Fit::Exact),
            ("a/x.bin", "../here/a/x.bin", Fit::Exact),
            ("a/b/x.bin", "b/x.bin", Fit::Suffix(2)),
            ("x.bin", "here/x.bin", Fit::Suffix(2)),
            ("a/x.bin", "x.bin", Fit::Name),
            ("x.bin", "pool/x.bin", Fit::Name),
            ("x.bin", "/pool/x.bin", Fit::Name),
            ("a/x.bin", "b/x.bin", Fit::Elsewhere),
            ("a/x.bin", "/b/x.bin", Fit::Elsewhere),
            ("a/x.bin", "a/y.bin", Fit::No),
            ("a/x.bin", "x.bin.old", Fit::No),
            ("x.bin", "", Fit::No),
        ] {
            assert_eq!(of(given, name), fit, "{given} by `{name}`");
        }
    }

    #[test]
    fn an_object_is_meant_by_its_key() {
        let of = |uri: &str, name: &str| SumsTarget::object(&uri.parse().unwrap()).fit(name);
        for (uri, name, fit) in [
            ("s3://b/p/x.bin", "p/x.bin", Fit::Exact),
            ("s3://b/p/x.bin", "b/p/x.bin", Fit::Exact),
            ("s3://b/p/x.bin", "s3://b/p/x.bin", Fit::Exact),
            ("s3://b/p/q/x.bin", "q/x.bin", Fit::Suffix(2)),
            ("s3://b/x.bin", "x.bin", Fit::Exact),
            ("s3://b/x.bin", "pool/x.bin", Fit::Name),
            ("s3://b/p/x.bin", "x.bin", Fit::Name),
            ("s3://b/p/x.bin", "q/x.bin", Fit::Elsewhere),
            ("s3://b/p/x.bin", "y.bin", Fit::No),
        ] {
            assert_eq!(of(uri, name), fit, "{uri} by `{name}`");
        }
    }
}
