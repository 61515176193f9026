//! Files that are there whole or not at all.

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
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = new_file(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    if let Some(there) = there {
        file.as_file().set_permissions(there.permissions())?;
    }
    file.persist(path)?;
    // The name is on disk with the folder only.
    File::open(folder)?.sync_all()
}

/// With the rights that any new file gets.
fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
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
}
