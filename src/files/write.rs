use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use nix::libc::{ENXIO, O_NONBLOCK};

use super::place::{folder_of, resolved};

/// Who may read a new file, before the umask applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Only its owner (mode 0600).
    Private,
    /// Everyone (mode 0666).
    Shared,
}

impl Rights {
    fn mode(self) -> u32 {
        match self {
            Rights::Private => 0o600,
            Rights::Shared => 0o666,
        }
    }
}

/// Pause between attempts to write to a pipe that accepts nothing.
const PIPE_PAUSE: Duration = Duration::from_millis(20);
/// Bytes that are read at a time for a pipe.
const PIPE_BUFFER: usize = 64 << 10;
/// Attempts to create a temporary file that other runs remove as a leftover.
const ATTEMPTS: usize = 8;

/// [`write_output`] for state of this program: private, and without waiting for the reader of a pipe.
///
/// # Errors
///
/// As for [`write_output`].
pub fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    write_output(path, content, Rights::Private, &|| false)
}

/// Writes a temporary file beside the target and renames it, so that an interrupted process leaves either the old file
/// or the new one. A symbolic link is followed and kept. An existing file keeps its permissions. Pipes and character
/// devices are written directly; `given_up` is asked while a pipe accepts nothing.
///
/// # Errors
///
/// The file cannot be written, synced or renamed, or `given_up` ended the attempt ([`io::ErrorKind::Interrupted`]).
pub fn write_output(path: &Path, mut content: &[u8], rights: Rights, given_up: &dyn Fn() -> bool) -> io::Result<()> {
    write_output_from(path, &mut content, rights, given_up)
}

/// [`write_output`] of everything that `content` has left.
///
/// # Errors
///
/// As for [`write_output`], and when `content` cannot be read.
pub fn write_output_from(
    path: &Path,
    content: &mut dyn Read,
    rights: Rights,
    given_up: &dyn Fn() -> bool,
) -> io::Result<()> {
    let path = &resolved(path)?;
    let there = fs::metadata(path).ok();
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        return write_special(path, content, given_up);
    }
    let folder = folder_of(path);
    remove_leftovers(path);
    let mut file = new_file(folder, path, rights)?;
    io::copy(content, &mut file)?;
    file.as_file().sync_all()?;
    if let Some(there) = there {
        file.as_file().set_permissions(there.permissions())?;
    }
    file.persist(path)?;
    // The new name is durable only when the directory is synced.
    File::open(folder)?.sync_all()
}

/// Writes a new file for all users that the umask allows, with a name only when it is complete. Returns `false` if the
/// name is taken. Removes the temporary files that killed writers of names that begin with `family` left beside it.
///
/// # Errors
///
/// The file cannot be written, synced or named.
pub fn write_new(path: &Path, content: &mut dyn Read, family: &str) -> io::Result<bool> {
    let folder = folder_of(path);
    remove_unlocked(folder, |name| name.strip_prefix(b".").is_some_and(|name| name.starts_with(family.as_bytes())));
    let mut file = new_file(folder, path, Rights::Shared)?;
    io::copy(content, &mut file)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error.error),
    }
    // The new name is durable only when the directory is synced.
    File::open(folder)?.sync_all()?;
    Ok(true)
}

fn write_special(path: &Path, content: &mut dyn Read, given_up: &dyn Fn() -> bool) -> io::Result<()> {
    let wait = || match given_up() {
        true => Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted while nothing reads it")),
        false => {
            std::thread::sleep(PIPE_PAUSE);
            Ok(())
        }
    };
    let mut pipe = loop {
        match OpenOptions::new().write(true).custom_flags(O_NONBLOCK).open(path) {
            // The pipe has no reader yet.
            Err(error) if error.raw_os_error() == Some(ENXIO) => wait()?,
            opened => break opened?,
        }
    };
    let mut buffer = vec![0; PIPE_BUFFER];
    loop {
        let got = content.read(&mut buffer)?;
        let mut rest = buffer.get(..got).unwrap_or_default();
        if rest.is_empty() {
            return Ok(());
        }
        while !rest.is_empty() {
            match pipe.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Creates an empty file that only its owner may read, unless it exists. If a symbolic link leads to a missing file,
/// that file is created.
///
/// # Errors
///
/// The file cannot be created.
pub fn create_private(path: &Path) -> io::Result<()> {
    let path = resolved(path)?;
    let made = OpenOptions::new().write(true).create_new(true).mode(Rights::Private.mode()).open(path);
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Removes a file, and the temporary files that killed writers of it left. A missing file is no error.
///
/// # Errors
///
/// The file cannot be removed.
pub fn remove_whole(path: &Path) -> io::Result<()> {
    let path = &resolved(path)?;
    remove_leftovers(path);
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes the temporary files of killed writers of this path.
pub(super) fn remove_leftovers(path: &Path) {
    let (prefix, suffix) = around(path);
    remove_unlocked(folder_of(path), |name| {
        // Only random characters may stand between prefix and suffix, so that no output with another name is mistaken
        // for a leftover of this one.
        let random = name.strip_prefix(prefix.as_encoded_bytes()).and_then(|rest| rest.strip_suffix(suffix));
        random.is_some_and(|random| random.len() == RANDOM && random.iter().all(u8::is_ascii_alphanumeric))
    });
}

/// Removes temporary files whose name fits. A running writer holds a lock on its file.
fn remove_unlocked(folder: &Path, fits: impl Fn(&[u8]) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        let ours = name.ends_with(SUFFIX.as_bytes()) && fits(name);
        if !ours || !entry.file_type().is_ok_and(|found| found.is_file()) {
            continue;
        }
        // Stays locked until it is removed: its writer may be about to lock it.
        let Ok(file) = File::open(entry.path()) else { continue };
        if file.try_lock().is_ok() {
            // A file that cannot be removed does no harm.
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// Prefix and suffix of the temporary files for a path.
fn around(path: &Path) -> (OsString, &'static [u8]) {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    (prefix, SUFFIX.as_bytes())
}

/// Suffix of temporary files.
const SUFFIX: &str = ".unfinished";
/// Number of random characters between prefix and suffix.
const RANDOM: usize = 6;

/// A temporary file for a path, locked so that no other run removes it as a leftover.
pub(super) fn new_file(folder: &Path, path: &Path, rights: Rights) -> io::Result<tempfile::NamedTempFile> {
    let (prefix, _) = around(path);
    for _ in 0..ATTEMPTS {
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX).rand_bytes(RANDOM);
        builder.permissions(Permissions::from_mode(rights.mode()));
        let file = builder.tempfile_in(folder)?;
        // Some file systems have no locks. There, another run may remove the file, and renaming it fails.
        drop(file.as_file().lock());
        // Another run may have removed it before it was locked.
        if fs::metadata(file.path()).is_ok() {
            return Ok(file);
        }
    }
    Err(io::Error::other("another run removes the file again and again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_devices_and_rights_stay() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write_whole(&at("new"), b"1").unwrap();
        let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
        File::create(at("usual")).unwrap();
        assert_eq!(mode("new"), mode("usual") & 0o600);
        write_output(&at("shared"), b"1", Rights::Shared, &|| false).unwrap();
        assert_eq!(mode("shared"), mode("usual"));
        create_private(&at("begun")).unwrap();
        create_private(&at("begun")).unwrap();
        assert_eq!(mode("begun"), mode("usual") & 0o600);
        symlink("begun behind", at("to begin")).unwrap();
        create_private(&at("to begin")).unwrap();
        assert_eq!(mode("begun behind"), mode("usual") & 0o600);
        symlink(at("ahead"), at("dangling")).unwrap();
        write_whole(&at("dangling"), b"2").unwrap();
        assert_eq!(fs::read(at("ahead")).unwrap(), b"2");
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
            drop(new_file(folder.path(), &at(of), Rights::Private).unwrap().keep().unwrap());
            assert!(at(place).exists());
        }
        remove_whole(&at("a.json")).unwrap();
        remove_whole(&at("a.json")).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left.len(), 3, "{left:?}");
        assert!(left.iter().all(|name| !name.to_string_lossy().contains("a.json")), "{left:?}");
    }

    #[test]
    fn the_next_writer_removes_what_a_killed_one_left_and_spares_a_live_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let other = folder.path().join(".a.json.by-hand.unfinished");
        fs::write(&other, "x").unwrap();
        drop(new_file(folder.path(), &path, Rights::Private).unwrap().keep().unwrap());
        let live = new_file(folder.path(), &path, Rights::Private).unwrap();
        write_whole(&path, b"1").unwrap();
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 3, "the file, that of another name, and that of the live writer");
        assert!(live.path().exists() && other.exists());
    }

    #[test]
    fn a_new_file_replaces_nothing_and_takes_the_leftovers_of_its_family_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        File::create(at("usual")).unwrap();
        drop(new_file(folder.path(), &at("shard-1-of-2-old"), Rights::Shared).unwrap().keep().unwrap());
        drop(new_file(folder.path(), &at("shard-2-of-2-old"), Rights::Shared).unwrap().keep().unwrap());
        let live = new_file(folder.path(), &at("shard-1-of-2-live"), Rights::Shared).unwrap();
        assert!(write_new(&at("shard-1-of-2-new"), &mut &b"1"[..], "shard-1-of-2-").unwrap());
        assert!(!write_new(&at("shard-1-of-2-new"), &mut &b"2"[..], "shard-1-of-2-").unwrap());
        assert_eq!(fs::read(at("shard-1-of-2-new")).unwrap(), b"1");
        let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode();
        assert_eq!(mode("shard-1-of-2-new"), mode("usual"));
        assert!(live.path().exists());
        let mut left: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.retain(|name| name.ends_with(SUFFIX));
        left.sort();
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(left[0].starts_with(".shard-1-of-2-live.") && left[1].starts_with(".shard-2-of-2-old."), "{left:?}");
    }

    #[test]
    fn a_pipe_is_written_to_and_given_up() {
        use std::io::Read;
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("p");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let error = write_output(&pipe, b"x", Rights::Shared, &|| true).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
        let content = vec![7; 1 << 20];
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || {
                let mut got = Vec::new();
                File::open(pipe).unwrap().read_to_end(&mut got).unwrap();
                got
            }
        });
        write_output(&pipe, &content, Rights::Shared, &|| false).unwrap();
        assert_eq!(reader.join().unwrap(), content);
    }
}
