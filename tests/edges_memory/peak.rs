use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::process::{Child, Command};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

use stored_ami::units::MIB;

/// The limit for all commands here.
pub const GIVEN: &str = "64MiB";
const MOST: u64 = 64 * MIB;

/// Exit code, output and peak memory of a command. The kernel additionally provides the peak of all commands together.
pub struct Ended {
    pub exit: Option<i32>,
    /// Standard output and standard error.
    pub said: String,
    /// Peak memory of the command, in bytes.
    pub peak: u64,
    /// Peak memory of all commands so far, in bytes.
    pub peak_of_all: u64,
}

/// Peak memory of a process so far, in bytes; `None` if it has ended.
fn peak(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Peak memory of all commands that have ended, in bytes.
fn peak_of_ended() -> u64 {
    let kib = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss();
    u64::try_from(kib).unwrap() * 1024
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
        // The peak never decreases; what follows the last sample is included in the peak of all commands.
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    let mut said = String::new();
    output.seek(SeekFrom::Start(0)).unwrap();
    output.read_to_string(&mut said).unwrap();
    Ended { exit, said, peak: most, peak_of_all: peak_of_ended() }
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
        let of_all = self.peak_of_all;
        assert!((MIB..=MOST).contains(&of_all), "{what}, or a command before it: {} MiB", of_all / MIB);
    }
}
