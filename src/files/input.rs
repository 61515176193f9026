use std::fs::{File, OpenOptions};
use std::io::{self, Read, Take};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::libc::O_NONBLOCK;
use nix::unistd::geteuid;

use super::type_name;
use crate::units::ByteSize;

/// Kind of an input file. Each kind has its own size limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// Manifest with reference values.
    Manifest,
    /// minisign signature of a manifest.
    Signature,
    /// minisign public key.
    PublicKey,
    /// Checksum file, as `sha256sum` writes it.
    Sums,
    /// Tuning profile of `bench`.
    Tuning,
    /// State of an unfinished read.
    Checkpoint,
    /// What `store` recorded about a source AMI.
    Record,
    /// Content of an AMI, which `fingerprint` wrote.
    Fingerprint,
    /// Digests of the blocks of an AMI, which `fingerprint` wrote.
    BlockDigests,
    /// What S3 Batch Operations is asked to compute.
    BatchPlan,
    /// Completion report of S3 Batch Operations.
    BatchReport,
    /// Policy of an audit.
    Policy,
    /// List of objects to audit.
    List,
    /// URL of a target.
    Url,
    /// Manifest of an S3 Inventory.
    InventoryManifest,
    /// Data file of an S3 Inventory.
    InventoryData,
    /// JSON lines of an earlier audit.
    AuditLines,
    /// Rules for injected faults.
    FaultRules,
    /// AWS price file.
    Prices,
    /// CA certificates in PEM.
    CaBundle,
    /// Key for SSE-C.
    CustomerKey,
    /// Journal entry of a restore.
    JournalEntry,
    /// AWS configuration or credentials file.
    AwsConfig,
    /// Token for STS `AssumeRoleWithWebIdentity`.
    WebIdentityToken,
    /// Token for the credentials of a container.
    ContainerToken,
    /// SSO token that the AWS CLI cached.
    SsoCache,
    /// Configuration file of this program.
    Configuration,
}

impl InputKind {
    /// All kinds.
    pub const ALL: [InputKind; 27] = [
        InputKind::Manifest,
        InputKind::Signature,
        InputKind::PublicKey,
        InputKind::Sums,
        InputKind::Tuning,
        InputKind::Checkpoint,
        InputKind::Record,
        InputKind::Fingerprint,
        InputKind::BlockDigests,
        InputKind::BatchPlan,
        InputKind::BatchReport,
        InputKind::Policy,
        InputKind::List,
        InputKind::Url,
        InputKind::InventoryManifest,
        InputKind::InventoryData,
        InputKind::AuditLines,
        InputKind::FaultRules,
        InputKind::Prices,
        InputKind::CaBundle,
        InputKind::CustomerKey,
        InputKind::JournalEntry,
        InputKind::AwsConfig,
        InputKind::WebIdentityToken,
        InputKind::ContainerToken,
        InputKind::SsoCache,
        InputKind::Configuration,
    ];

    /// Size limit in bytes. Kinds that are kept in memory have small limits; price files, inventories, lists and audit
    /// lines are streamed.
    pub fn most_bytes(self) -> u64 {
        const KIB: u64 = 1 << 10;
        const MIB: u64 = 1 << 20;
        const GIB: u64 = 1 << 30;
        match self {
            InputKind::CustomerKey => 4 * KIB,
            // minisign limits trusted comments to 8 KiB.
            InputKind::Signature | InputKind::PublicKey => 16 * KIB,
            InputKind::JournalEntry | InputKind::Tuning | InputKind::Policy => 64 * KIB,
            InputKind::Url | InputKind::Configuration => 64 * KIB,
            InputKind::WebIdentityToken | InputKind::ContainerToken => 64 * KIB,
            InputKind::Record | InputKind::Fingerprint | InputKind::FaultRules | InputKind::SsoCache => MIB,
            InputKind::CaBundle => 4 * MIB,
            // 10,000 parts, each with digests by all ten algorithms, take 10 MB.
            // A checksum file of 16 MiB has 150,000 lines.
            InputKind::Manifest | InputKind::InventoryManifest | InputKind::Sums | InputKind::AwsConfig => 16 * MIB,
            // A million ranges, each with a SHA-256 and a CRC, take 54 MB.
            InputKind::Checkpoint => 64 * MIB,
            // A million objects.
            InputKind::BatchPlan => GIB,
            InputKind::BatchReport => GIB,
            InputKind::List | InputKind::AuditLines => GIB,
            InputKind::InventoryData | InputKind::Prices => 2 * GIB,
            // 48 bytes for each of the 128 Mi blocks of a volume of 64 TiB.
            InputKind::BlockDigests => 16 * GIB,
        }
    }

    /// Name of the kind with its article, for messages.
    pub fn name(self) -> &'static str {
        match self {
            InputKind::Manifest => "a manifest",
            InputKind::Signature => "a signature",
            InputKind::PublicKey => "a public key",
            InputKind::Sums => "a checksum file",
            InputKind::Tuning => "a tuning profile",
            InputKind::Checkpoint => "a checkpoint",
            InputKind::Record => "a record",
            InputKind::Fingerprint => "a fingerprint",
            InputKind::BlockDigests => "a file with digests of blocks",
            InputKind::BatchPlan => "a plan of batch jobs",
            InputKind::BatchReport => "a completion report",
            InputKind::Policy => "a policy",
            InputKind::List => "a list of objects",
            InputKind::Url => "a URL",
            InputKind::InventoryManifest => "an inventory manifest",
            InputKind::InventoryData => "an inventory data file",
            InputKind::AuditLines => "the JSON lines of an audit",
            InputKind::FaultRules => "a file of fault rules",
            InputKind::Prices => "a price file",
            InputKind::CaBundle => "a certificate bundle",
            InputKind::CustomerKey => "a customer key",
            InputKind::JournalEntry => "a journal entry",
            InputKind::AwsConfig => "an AWS configuration file",
            InputKind::WebIdentityToken => "a web identity token",
            InputKind::ContainerToken => "a container's authorization token",
            InputKind::SsoCache => "a cached SSO token",
            InputKind::Configuration => "a configuration file",
        }
    }

    /// Whether the input may be a pipe, or standard input as `-`.
    pub fn may_be_pipe(self) -> bool {
        matches!(self, InputKind::Sums | InputKind::List | InputKind::Url)
    }
}

/// Why an input cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// Opening or reading the file failed.
    #[error("{}", in_words(.0))]
    Io(#[from] io::Error),
    /// The file is not of an allowed type.
    #[error("is {found}, and {} must be a regular file{}", kind.name(), if kind.may_be_pipe() { " or a pipe" } else { "" })]
    Special {
        /// What was to be read.
        kind: InputKind,
        /// What is there instead.
        found: &'static str,
    },
    /// The file exceeds the limit of its kind.
    #[error("is larger than {}, the limit for {}", ByteSize(kind.most_bytes()), kind.name())]
    TooLarge {
        /// What was to be read.
        kind: InputKind,
    },
    /// The content is not UTF-8.
    #[error("is not UTF-8 text")]
    NotText,
}

/// Most often a name is misspelt.
fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    }
}

/// An open input. Reading beyond the limit of its kind fails.
pub struct Input {
    inner: Take<Box<dyn Read + Send>>,
    kind: InputKind,
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        // One byte more than the limit can be read, to distinguish the end from the limit.
        if self.inner.limit() == 0 && !buffer.is_empty() {
            return Err(io::Error::other(InputError::TooLarge { kind: self.kind }));
        }
        Ok(got)
    }
}

/// Opens an input: a regular file, which never blocks, or a pipe if the kind allows it, which blocks until something
/// writes to it. `-` is standard input for those kinds.
///
/// # Errors
///
/// The file cannot be opened, is of a type that its kind does not allow, or is larger than the limit of its kind.
pub fn open_input(path: &Path, kind: InputKind) -> Result<Input, InputError> {
    if kind.may_be_pipe() && path.as_os_str() == "-" {
        return Ok(limited(Box::new(io::stdin()), kind));
    }
    // Checked before opening: opening a device can have effects, and opening a pipe without a writer blocks.
    let there = std::fs::metadata(path)?;
    let special = |found: std::fs::FileType| Err(InputError::Special { kind, found: type_name(found) });
    if kind.may_be_pipe() && there.file_type().is_fifo() {
        return Ok(limited(Box::new(File::open(path)?), kind));
    }
    if !there.is_file() {
        return special(there.file_type());
    }
    let file = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(path)?;
    let opened = file.metadata()?;
    if !opened.is_file() {
        return special(opened.file_type());
    }
    if opened.len() > kind.most_bytes() {
        return Err(InputError::TooLarge { kind });
    }
    Ok(limited(Box::new(file), kind))
}

fn limited(inner: Box<dyn Read + Send>, kind: InputKind) -> Input {
    Input { inner: inner.take(kind.most_bytes() + 1), kind }
}

/// Checks that nobody else can change a file: it belongs to this user or to root, and only its owner may write it.
///
/// # Errors
///
/// What permits others to change it.
pub fn only_owner_writes(path: &Path) -> Result<(), String> {
    let there = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if there.mode() & 0o022 != 0 {
        return Err(format!("others may write it (mode {:04o})", there.mode() & 0o7777));
    }
    let user = geteuid().as_raw();
    if there.uid() != 0 && there.uid() != user {
        return Err(format!("it belongs to user {}, and this is user {user}", there.uid()));
    }
    Ok(())
}

/// Reads an input completely.
///
/// # Errors
///
/// As for [`open_input`].
pub fn read_bytes(path: &Path, kind: InputKind) -> Result<Vec<u8>, InputError> {
    let mut content = Vec::new();
    let read = open_input(path, kind)?.read_to_end(&mut content);
    read.map_err(|error| match error.downcast::<InputError>() {
        Ok(limit) => limit,
        Err(error) => InputError::Io(error),
    })?;
    Ok(content)
}

/// Reads an input as UTF-8 text.
///
/// # Errors
///
/// As for [`open_input`], and if the content is not UTF-8.
pub fn read_text(path: &Path, kind: InputKind) -> Result<String, InputError> {
    String::from_utf8(read_bytes(path, kind)?).map_err(|_| InputError::NotText)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_the_limit_of_its_kind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        for kind in InputKind::ALL {
            let file = File::create(&path).unwrap();
            file.set_len(kind.most_bytes() + 1).unwrap();
            let error = open_input(&path, kind).err().unwrap().to_string();
            assert!(error.contains(kind.name()) && error.contains("is larger than"), "{error}");
            if kind.most_bytes() <= 1 << 20 {
                file.set_len(kind.most_bytes()).unwrap();
                assert_eq!(read_bytes(&path, kind).unwrap().len() as u64, kind.most_bytes());
            }
        }
        // A file that grew after it was opened.
        let most = InputKind::CustomerKey.most_bytes();
        let file = File::create(&path).unwrap();
        let mut input = open_input(&path, InputKind::CustomerKey).unwrap();
        file.set_len(most * 3).unwrap();
        let mut got = Vec::new();
        let error = input.read_to_end(&mut got).unwrap_err().to_string();
        assert!(error.contains("the limit for a customer key"), "{error}");
        assert!(got.len() as u64 <= most + 1);
    }

    #[test]
    fn devices_directories_and_pipes_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("p");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for kind in InputKind::ALL {
            for (path, found) in
                [(Path::new("/dev/zero"), "a character device"), (folder.path(), "a directory"), (&pipe, "a pipe")]
            {
                if found == "a pipe" && kind.may_be_pipe() {
                    continue;
                }
                let error = open_input(path, kind).err().unwrap().to_string();
                assert!(error.starts_with(&format!("is {found}, and {} must be", kind.name())), "{error}");
            }
        }
        assert!(matches!(open_input(Path::new("-"), InputKind::Manifest), Err(InputError::Io(_))));
    }
}
