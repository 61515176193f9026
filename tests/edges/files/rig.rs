use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::common::bare_command;

/// A directory in which the program runs.
pub struct Folder(tempfile::TempDir);

/// Result of a run of the program.
#[derive(Debug)]
pub struct Ended {
    pub exit: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { exit: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Checks the exit code, and that the output contains this text.
    #[track_caller]
    pub fn assert(&self, exit: i32, says: &str) -> &Self {
        assert_eq!(self.exit, Some(exit), "{self:?}");
        assert!(self.stderr.contains(says) || self.stdout.contains(says), "`{says}` in {self:?}");
        self
    }
}

impl Folder {
    pub fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    /// A directory with a target of three bytes, and a second name for the directory.
    pub fn with_target() -> Self {
        let folder = Self::new();
        folder.write("f.bin", b"abc");
        std::fs::create_dir(folder.at("sub")).unwrap();
        folder
    }

    /// The path of a file in the directory.
    pub fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.at(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.at(name)).unwrap()
    }

    /// Every regular file in the directory, with its bytes.
    pub fn content(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut content: Vec<_> = std::fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        content.sort();
        content
    }

    /// Creates a named pipe.
    pub fn pipe(&self, name: &str) -> PathBuf {
        let path = self.at(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    /// The program, with the directory as current directory.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = bare_command();
        command.args(args).current_dir(self.path()).env("AWS_REGION", "us-east-1");
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        Ended::of(self.command(args).output().unwrap())
    }
}

/// SHA-256 of `abc` (FIPS 180-2).
pub const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
/// The argument of `--expect` for `abc`.
pub const RIGHT: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// Sends a signal to a process.
pub fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
}
