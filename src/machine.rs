//! What this machine has, and what this process has used of it.

use std::fs;
use std::num::NonZero;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::geteuid;

/// Processors that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Processor time of this process so far, its own and the system's for it.
pub fn cpu_time() -> Duration {
    let time = |value: nix::sys::time::TimeVal| {
        let micros =
            u64::try_from(value.tv_sec()).unwrap_or(0) * 1_000_000 + u64::try_from(value.tv_usec()).unwrap_or(0);
        Duration::from_micros(micros)
    };
    getrusage(UsageWho::RUSAGE_SELF).map_or(Duration::ZERO, |usage| time(usage.user_time()) + time(usage.system_time()))
}

/// Id of the user that this process acts as: files that it creates belong to this user.
pub fn user_id() -> u32 {
    geteuid().as_raw()
}

/// The fastest network interface that says how fast it is, in bits a second; Linux only, and many virtual ones
/// do not say.
pub fn link_bits_per_second() -> Option<u64> {
    let speeds = fs::read_dir("/sys/class/net").ok()?.flatten().filter_map(|interface| {
        let up = fs::read_to_string(interface.path().join("operstate")).ok()?;
        let megabits: u64 = fs::read_to_string(interface.path().join("speed")).ok()?.trim().parse().ok()?;
        (up.trim() == "up").then_some(megabits * 1_000_000)
    });
    speeds.max()
}

/// Lets the allocator of the GNU C library keep some memory that was freed, instead of giving it back to the system and
/// asking for it again with every frame, which takes an eighth of the processor time of a proof. Elsewhere it does
/// nothing.
///
/// When a block that was mapped by itself is freed, the library begins to keep twice as much (mallopt(3),
/// `M_MMAP_THRESHOLD`, "dynamic mmap threshold"). Nothing is written to the block, so it takes no memory.
pub fn keep_freed_memory() {
    const BLOCK: usize = 8 << 20;
    drop(std::hint::black_box(Vec::<u8>::with_capacity(BLOCK)));
}
