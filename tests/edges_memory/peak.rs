use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::process::Command;
use std::time::Duration;

use stored_ami::units::MIB;

use crate::common::peak::{limit, peak};

/// The limit for all commands here.
pub const GIVEN: &str = "64MiB";
const MOST: u64 = limit(64 * MIB);

/// Exit code, output and peak memory of a command.
pub struct Ended {
    pub exit: Option<i32>,
    /// Standard output and standard error.
    pub said: String,
    /// Peak memory of the command, in bytes.
    pub peak: u64,
}

/// Runs a command to its end.
pub async fn watch(mut command: Command) -> Ended {
    let mut output = tempfile::tempfile().unwrap();
    let to = |output: &File| output.try_clone().unwrap();
    let mut child = command.stdout(to(&output)).stderr(to(&output)).spawn().unwrap();
    let mut most = 0;
    let exit = loop {
        most = most.max(peak(&child).unwrap_or_default());
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        // The peak never decreases, so only memory that is taken after the last sample is missed. `wait` also returns a
        // peak, but it includes the memory of this process, which the child shares until it starts its program.
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    let mut said = String::new();
    output.seek(SeekFrom::Start(0)).unwrap();
    output.read_to_string(&mut said).unwrap();
    Ended { exit, said, peak: most }
}

/// The message for a read that needs more memory than allowed.
pub const REFUSED: &str = "is too little for the digests of its parts: at least";

impl Ended {
    /// Checks that the command ended by `--max-bytes`, or was rejected before the first byte, within the memory limit.
    pub fn assert_bounded(&self, what: &str) {
        match self.exit {
            Some(2) => self.assert(what, 2, REFUSED),
            _ => self.assert(what, 3, "ended it"),
        }
    }

    /// Checks the exit code, the output, and that the memory limit was kept.
    pub fn assert(&self, what: &str, exit: i32, says: &str) {
        eprintln!("{what}: exit {:?}, {:.1} MiB", self.exit, self.peak as f64 / MIB as f64);
        assert_eq!(self.exit, Some(exit), "{what}: {}", self.said);
        assert!(self.said.contains(says), "{what}: no `{says}` in {}", self.said);
        assert!((MIB..=MOST).contains(&self.peak), "{what}: {} MiB", self.peak / MIB);
    }
}
