use std::path::{Path, PathBuf};

use super::usage::UsageError;
use crate::checksum::Algorithm;
use crate::files::{InputKind, read_bytes};
use crate::ident::Target;
use crate::manifest::{GivenSums, SumsRequest, SumsTarget, decode, find_sums};

/// A checksum file given with `--sums`.
pub(super) struct SumsFile {
    shown: String,
    /// The algorithm, if given as `ALGORITHM:FILE`.
    algorithm: Option<Algorithm>,
    text: String,
    /// The current directory and that of the file; relative names may be relative to either.
    folders: Vec<PathBuf>,
}

impl SumsFile {
    /// Reads the file. A prefix before the first colon is an algorithm if it names one and the rest names a file;
    /// otherwise the whole is the name of a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read or decoded, or its algorithm is unknown.
    pub(super) fn open(given: &Path) -> Result<Self, UsageError> {
        let (algorithm, path) = stated(given)?;
        let shown = path.display().to_string();
        let wrong = |problem: String| UsageError(format!("{shown}: {problem}"));
        let bytes = read_bytes(&path, InputKind::Sums).map_err(|error| wrong(error.to_string()))?;
        let text = decode(&bytes).map_err(wrong)?;
        let current = std::env::current_dir().unwrap_or_default();
        let beside = current.join(&path).parent().map(Path::to_owned);
        let folders = beside.into_iter().chain([current]).collect();
        Ok(SumsFile { algorithm, text, folders, shown: path.display().to_string() })
    }

    /// The values for one of the targets of a command.
    ///
    /// # Errors
    ///
    /// No line applies to the target, or the lines for it are ambiguous or cannot be parsed.
    pub(super) fn of(&self, target: &Target, all: &[Target]) -> Result<GivenSums, UsageError> {
        let wanted = self.wanted(target);
        let others: Vec<SumsTarget> =
            all.iter().filter(|other| *other != target).map(|other| self.wanted(other)).collect();
        let request = SumsRequest {
            file: &self.shown,
            algorithm: self.algorithm,
            target: &wanted,
            means_another: &|name| {
                others.iter().any(|other| other.has_path(name)) || self.is_another_file(name, target)
            },
            one_target: all.len() == 1,
        };
        find_sums(&self.text, &request).map_err(|error| UsageError(format!("{}: {error}", self.shown)))
    }

    fn wanted(&self, target: &Target) -> SumsTarget {
        match target {
            Target::Object(uri) => SumsTarget::object(uri),
            Target::Presigned(url) => SumsTarget::object(url.object()),
            Target::File(path) => {
                let complete = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                let folders: Vec<&Path> = self.folders.iter().map(PathBuf::as_path).collect();
                SumsTarget::file(path, &complete, &folders)
            }
        }
    }

    /// Whether the name refers to an existing file other than the target.
    fn is_another_file(&self, name: &str, target: &Target) -> bool {
        let Target::File(target) = target else { return false };
        let Ok(target) = target.canonicalize() else { return false };
        let mut named = self.folders.iter().filter_map(|folder| folder.join(name).canonicalize().ok()).peekable();
        named.peek().is_some() && named.all(|named| named != target)
    }
}

/// The algorithm, if it is given, and the path of the file.
pub(super) fn stated(given: &Path) -> Result<(Option<Algorithm>, PathBuf), UsageError> {
    let whole = || (None, given.to_owned());
    let Some((name, file)) = given.to_str().and_then(|text| text.split_once(':')) else { return Ok(whole()) };
    match name.parse::<Algorithm>() {
        Ok(algorithm) if Path::new(file).exists() || !given.exists() => Ok((Some(algorithm), file.into())),
        Ok(_) => Ok(whole()),
        Err(error) if !name.contains('/') && !given.exists() && Path::new(file).exists() => {
            Err(UsageError(format!("--sums {}: {error}", given.display())))
        }
        Err(_) => Ok(whole()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_before_a_colon_and_files_with_colons() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("plain"), "").unwrap();
        std::fs::write(at("md5:only"), "").unwrap();
        let plain = at("plain");
        let given = format!("sha256:{}", plain.display());
        assert_eq!(stated(Path::new(&given)).unwrap(), (Some(Algorithm::Sha256), plain.clone()));
        assert_eq!(stated(&plain).unwrap(), (None, plain.clone()));
        assert_eq!(stated(&at("md5:only")).unwrap(), (None, at("md5:only")), "a path with a colon");
        assert_eq!(stated(Path::new("md5:gone")).unwrap(), (Some(Algorithm::Md5), "gone".into()));
        assert_eq!(stated(Path::new("a:gone")).unwrap(), (None, "a:gone".into()));
        let other = format!("blake2b:{}", plain.display());
        assert!(stated(Path::new(&other)).unwrap_err().0.contains("is not a checksum algorithm"));
    }
}
