use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const SUFFIX: &str = ".unfinished";
/// A writer renames its file within milliseconds, so an older one was left by a killed writer.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Why a folder is not safe for a journal.
#[derive(Debug, thiserror::Error)]
#[error("{}{} {problem}", path.display(), if matches!(problem, FolderProblem::Unreadable(_)) { ":" } else { "" })]
pub struct FolderError {
    /// The part of the path that is not safe.
    pub path: PathBuf,
    /// What is wrong with that part.
    #[source]
    pub problem: FolderProblem,
}

/// What is wrong with a part of a path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderProblem {
    /// It cannot be examined.
    #[error("{0}")]
    Unreadable(#[source] io::Error),
    /// The target of a symbolic link cannot be read.
    #[error("{0}")]
    LinkUnreadable(#[source] io::Error),
    /// It belongs to another user.
    #[error("belongs to another user (uid {0})")]
    OtherUser(u32),
    /// The group or others can write to it.
    #[error("can be written by others; `chmod go-w` it")]
    WritableByOthers,
    /// A directory on the path can be written to by everybody.
    #[error("can be written by everybody")]
    WritableByEverybody,
    /// The path has too many symbolic links.
    #[error("is behind too many symbolic links")]
    TooManyLinks,
    /// It is a symbolic link that belongs to another user.
    #[error("is a symbolic link of another user")]
    ForeignLink,
    /// It is not a directory.
    #[error("is not a folder")]
    NotAFolder,
}

impl FolderError {
    fn new(path: &Path, problem: FolderProblem) -> Self {
        FolderError { path: path.to_owned(), problem }
    }

    fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| FolderError::new(path, FolderProblem::Unreadable(error))
    }
}

/// Checks that nobody else can change the content of a folder, or where its path leads. A folder that does not exist
/// yet passes if the path to it does.
///
/// # Errors
///
/// A part of the path is not safe.
#[cfg(unix)]
pub(super) fn check(folder: &Path) -> Result<(), FolderError> {
    use std::os::unix::fs::MetadataExt;

    let us = crate::machine::user_id();
    let path = std::path::absolute(folder).map_err(FolderError::unreadable(folder))?;
    let Some(place) = resolve(&path, us)? else { return Ok(()) };
    let found = fs::symlink_metadata(&place).map_err(FolderError::unreadable(&place))?;
    if found.uid() != us {
        return Err(FolderError::new(&place, FolderProblem::OtherUser(found.uid())));
    }
    if found.mode() & 0o022 != 0 {
        return Err(FolderError::new(&place, FolderProblem::WritableByOthers));
    }
    Ok(())
}

/// Without Unix permissions, nothing is checked.
#[cfg(not(unix))]
pub(super) fn check(_folder: &Path) -> Result<(), FolderError> {
    Ok(())
}

/// Limit of symbolic links in one path, as in Linux.
#[cfg(unix)]
const MOST_LINKS: u32 = 40;

/// Resolves a path part by part; `None` if a part does not exist yet.
#[cfg(unix)]
fn resolve(path: &Path, us: u32) -> Result<Option<PathBuf>, FolderError> {
    use std::ffi::OsString;
    use std::os::unix::fs::MetadataExt;
    use std::path::Component;

    let parts = |path: &Path| -> Vec<OsString> {
        let kept = path.components().filter(|part| !matches!(part, Component::CurDir));
        kept.map(|part| part.as_os_str().to_owned()).collect::<Vec<_>>().into_iter().rev().collect()
    };
    let mut left = parts(path);
    let mut at = PathBuf::from("/");
    let mut links = 0;
    while let Some(part) = left.pop() {
        match Path::new(&part).components().next() {
            Some(Component::RootDir) => at = PathBuf::from("/"),
            Some(Component::ParentDir) => drop(at.pop()),
            _ => {
                let next = at.join(&part);
                let wrong = |problem| FolderError::new(&next, problem);
                let found = match fs::symlink_metadata(&next) {
                    Ok(found) => found,
                    Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                    Err(error) => return Err(wrong(FolderProblem::Unreadable(error))),
                };
                if found.is_symlink() {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(wrong(FolderProblem::TooManyLinks));
                    }
                    if found.uid() != us && found.uid() != 0 {
                        return Err(wrong(FolderProblem::ForeignLink));
                    }
                    left.extend(parts(
                        &fs::read_link(&next).map_err(|error| wrong(FolderProblem::LinkUnreadable(error)))?,
                    ));
                    continue;
                }
                if !found.is_dir() {
                    return Err(wrong(FolderProblem::NotAFolder));
                }
                // Whoever can rename the entries of a directory can replace them with their own.
                if found.mode() & 0o1002 == 0o002 && !left.is_empty() {
                    return Err(wrong(FolderProblem::WritableByEverybody));
                }
                at = next;
            }
        }
    }
    Ok(Some(at))
}

/// Creates the folder and its missing parents for this user only. An existing folder must be safe.
///
/// # Errors
///
/// The folder is not safe or cannot be created.
pub(super) fn create(folder: &Path) -> io::Result<()> {
    check(folder).map_err(io::Error::other)?;
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    check(folder).map_err(io::Error::other)
}

/// Reads a regular file of at most `most` bytes. A pipe would block, and an endless file would fill the memory. Unlike
/// [`crate::files::read_bytes`] it follows no link, because only this program writes to the folder.
///
/// # Errors
///
/// The file cannot be read, is not regular, or is too large.
pub(super) fn read_small(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let refused = |problem: String| io::Error::new(ErrorKind::InvalidData, problem);
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(refused("is not a regular file".to_owned()));
    }
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(refused("is not a regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(refused(format!("is larger than {most} bytes")));
    }
    Ok(bytes)
}

/// Writes a file so that it is complete, on disk, and readable by this user only. Unlike [`crate::files::write_whole`]
/// it replaces a link or pipe of that name.
///
/// # Errors
///
/// The file cannot be written, synced or renamed.
pub(super) fn write_private(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    // Files of this builder have the mode 0600.
    let mut file = tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(SUFFIX).tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(folder.join(name))?;
    // The new name is durable only when the folder is synced.
    File::open(folder)?.sync_all()
}

/// Removes the temporary files of killed writers, among at most `most` names.
pub(super) fn tidy(folder: &Path, most: usize) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().take(most) {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ours = [".restore-", ".drill-"].iter().any(|begin| name.starts_with(begin)) && name.ends_with(SUFFIX);
        let age = entry.metadata().and_then(|found| found.modified()).map(|at| SystemTime::now().duration_since(at));
        if ours && matches!(age, Ok(Ok(age)) if age > ABANDONED) {
            // A file that cannot be removed does no harm.
            drop(fs::remove_file(entry.path()));
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn folders_that_others_can_change_are_refused() {
        let base = tempfile::tempdir().unwrap();
        let at = |name: &str| base.path().join(name);
        for (mode, refused) in
            [(0o700, false), (0o755, false), (0o750, false), (0o770, true), (0o702, true), (0o1777, true)]
        {
            let folder = at(&format!("{mode:o}"));
            fs::create_dir(&folder).unwrap();
            chmod(&folder, mode);
            assert_eq!(check(&folder).is_err(), refused, "{mode:o}: {:?}", check(&folder));
        }
        // A directory on the path.
        fs::create_dir_all(at("open/deep")).unwrap();
        chmod(&at("open"), 0o777);
        assert!(check(&at("open/deep")).unwrap_err().to_string().contains("written by everybody"));
        assert!(check(&at("open/new/deeper")).unwrap_err().to_string().contains("written by everybody"));
        chmod(&at("open"), 0o1777);
        chmod(&at("open/deep"), 0o700);
        check(&at("open/deep")).unwrap();
    }

    #[test]
    fn links_are_followed_to_the_folder_they_name() {
        let base = tempfile::tempdir().unwrap();
        let at = |name: &str| base.path().join(name);
        fs::create_dir(at("safe")).unwrap();
        chmod(&at("safe"), 0o700);
        fs::create_dir(at("open")).unwrap();
        chmod(&at("open"), 0o777);
        symlink("safe", at("to-safe")).unwrap();
        symlink("../open/.", at("safe/to-open")).unwrap();
        symlink("round", at("round")).unwrap();
        File::create(at("file")).unwrap();
        check(&at("to-safe")).unwrap();
        check(&at("to-safe/../safe/./new")).unwrap();
        assert!(check(&at("to-safe/to-open")).unwrap_err().to_string().contains("open can be written by others"));
        assert!(check(&at("round")).unwrap_err().to_string().contains("too many symbolic links"));
        assert!(check(&at("file")).unwrap_err().to_string().contains("not a folder"));
        assert!(check(&at("file/below")).unwrap_err().to_string().contains("not a folder"));
    }

    /// Only root can change the owner of a file.
    #[test]
    fn what_belongs_to_others_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let (folder, link) = (base.path().join("folder"), base.path().join("link"));
        fs::create_dir(&folder).unwrap();
        chmod(&folder, 0o700);
        symlink("folder", &link).unwrap();
        check(&link).unwrap();
        if crate::machine::user_id() != 0 {
            return;
        }
        std::os::unix::fs::lchown(&link, Some(65_534), None).unwrap();
        assert!(check(&link).unwrap_err().to_string().contains("symbolic link of another user"));
        check(&folder).unwrap();
        std::os::unix::fs::chown(&folder, Some(65_534), None).unwrap();
        assert!(check(&folder).unwrap_err().to_string().contains("belongs to another user (uid 65534)"));
    }

    #[test]
    fn only_small_regular_files_are_read() {
        let base = tempfile::tempdir().unwrap();
        let at = |name: &str| base.path().join(name);
        fs::write(at("small"), [7; 100]).unwrap();
        fs::write(at("large"), [7; 101]).unwrap();
        let sparse = File::create(at("sparse")).unwrap();
        sparse.set_len(1 << 40).unwrap();
        symlink("small", at("link")).unwrap();
        symlink("/dev/zero", at("zero")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
        let read = |name: &str| read_small(&at(name), 100).map_err(|error| error.to_string());
        assert_eq!(read("small").unwrap().len(), 100);
        for (name, problem) in [
            ("large", "larger than 100 bytes"),
            ("sparse", "larger than 100 bytes"),
            ("link", "not a regular file"),
            ("zero", "not a regular file"),
            ("fifo", "not a regular file"),
            (".", "not a regular file"),
        ] {
            assert!(read(name).unwrap_err().contains(problem), "{name}");
        }
    }
}
