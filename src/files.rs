//! Files that are there whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::path::Path;

/// Written beside its place and moved there, so that whatever ends the process leaves the old file or the new one. What
/// a link points to is replaced, not the link; what is no regular file (a device, a pipe) is written to as it is.
pub fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let there = fs::metadata(path).ok();
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        return fs::OpenOptions::new().write(true).open(path)?.write_all(content);
    }
    let folder = folder_of(path);
    let mut file = new_file(folder, path)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    if let Some(there) = there {
        file.as_file().set_permissions(there.permissions())?;
    }
    file.persist(path)?;
    // The name is on disk with the folder only.
    File::open(folder)?.sync_all()
}

/// Removes a file, and what writers of it left beside it when they were killed. That nothing is there is no error.
pub fn remove_whole(path: &Path) -> io::Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (prefix, suffix) = around(path);
    for entry in fs::read_dir(folder_of(path)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes()) && name.as_encoded_bytes().ends_with(suffix) {
            // What cannot be removed is in nobody's way.
            drop(fs::remove_file(entry.path()));
        }
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What the names of files begin and end with that are on their way to this place.
fn around(path: &Path) -> (OsString, &'static [u8]) {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    (prefix, SUFFIX.as_bytes())
}

const SUFFIX: &str = ".unfinished";

/// With the rights that any new file gets.
fn new_file(folder: &Path, path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let (prefix, _) = around(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(SUFFIX);
    #[cfg(unix)]
    builder.permissions(<Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn links_devices_and_rights_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write_whole(&at("new"), b"1").unwrap();
        let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
        File::create(at("usual")).unwrap();
        assert_eq!(mode("new"), mode("usual"));
        fs::set_permissions(at("new"), Permissions::from_mode(0o640)).unwrap();
        symlink(at("new"), at("link")).unwrap();
        write_whole(&at("link"), b"2").unwrap();
        assert_eq!(fs::read(at("new")).unwrap(), b"2");
        assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
        assert_eq!(mode("new"), 0o640);
        write_whole(Path::new("/dev/null"), b"3").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn what_killed_writers_left_goes_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a.json", "b.json", ".other"] {
            write_whole(&at(name), b"1").unwrap();
        }
        for (place, of) in [("a.json", "a.json"), ("a.json", "a.json"), ("b.json", "b.json")] {
            drop(new_file(folder.path(), &at(of)).unwrap().keep().unwrap());
            assert!(at(place).exists());
        }
        remove_whole(&at("a.json")).unwrap();
        remove_whole(&at("a.json")).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left.len(), 3, "{left:?}");
        assert!(left.iter().all(|name| !name.to_string_lossy().contains("a.json")), "{left:?}");
    }
}
