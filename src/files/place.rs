use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Limit of consecutive symbolic links, above that of any system.
const MOST_LINKS: usize = 40;

/// What a path leads to: an existing file, or the directory entry where a file would be created.
///
/// Two spellings of one path, and two links to one file, have equal places.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An existing file.
    File {
        /// Device number.
        device: u64,
        /// Inode number.
        inode: u64,
    },
    /// A name in a directory, without a file.
    Entry {
        /// Device number of the directory.
        device: u64,
        /// Inode number of the directory.
        inode: u64,
        /// Name in the directory.
        name: OsString,
    },
}

impl Place {
    /// The place of a path. Symbolic links are followed.
    ///
    /// # Errors
    ///
    /// The directory does not exist or cannot be examined.
    pub fn of(path: &Path) -> io::Result<Self> {
        let path = resolved(path)?;
        if let Ok(there) = fs::metadata(&path) {
            return Ok(Place::File { device: there.dev(), inode: there.ino() });
        }
        let folder = fs::metadata(folder_of(&path))?;
        let name = path.file_name().unwrap_or_default().to_owned();
        Ok(Place::Entry { device: folder.dev(), inode: folder.ino(), name })
    }

    /// The place of an open file.
    pub fn of_open(file: &fs::Metadata) -> Self {
        Place::File { device: file.dev(), inode: file.ino() }
    }
}

/// Follows symbolic links, even if the last one leads to a file that does not exist.
///
/// # Errors
///
/// There are too many links in a row.
pub fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        // The links of /dev/stdout and /dev/fd may lead to pipes without a path, which can be opened by the link only.
        if fs::metadata(&path).is_ok() {
            return Ok(fs::canonicalize(&path).unwrap_or(path));
        }
        match fs::read_link(&path) {
            Ok(to) => path = folder_of(&path).join(to),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// The directory of a path; `.` for a bare name.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn spellings_and_links_of_one_file_are_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("a")).unwrap();
        fs::write(at("f"), "x").unwrap();
        fs::write(at("g"), "x").unwrap();
        fs::hard_link(at("f"), at("hard")).unwrap();
        symlink(at("f"), at("soft")).unwrap();
        symlink("soft", at("softer")).unwrap();
        symlink("a/new", at("ahead")).unwrap();
        symlink(".", at("here")).unwrap();
        symlink("loop", at("loop")).unwrap();
        let same = |one: &str, other: &str| Place::of(&at(one)).unwrap() == Place::of(&at(other)).unwrap();
        for other in ["f", "./f", "a/../f", "hard", "soft", "softer", "here/f", "here/here/hard"] {
            assert!(same("f", other), "{other}");
            assert!(!same("g", other), "{other}");
        }
        for other in ["new", "./new", "a/../new", "here/new"] {
            assert!(same("new", other), "{other}");
            assert!(!same("a/new", other), "{other}");
        }
        assert!(same("a/new", "ahead"));
        assert!(Place::of(&at("loop")).is_err());
        assert!(Place::of(&at("none/new")).is_err());
    }
}
