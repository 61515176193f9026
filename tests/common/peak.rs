//! Peak memory of a process.

use std::process::Child;

use stored_ami::units::MIB;

/// Memory that the code of an unoptimised build takes in addition. A check of a small file takes 16 MiB with
/// optimisation and 41 MiB without.
const UNOPTIMISED: u64 = if cfg!(debug_assertions) { 26 * MIB } else { 0 };

/// The limit to hold a process to, in bytes, if an optimised build keeps within `promised`.
pub const fn limit(promised: u64) -> u64 {
    promised + UNOPTIMISED
}

/// Peak memory of a process so far, in bytes; `None` if it has ended.
pub fn peak(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
