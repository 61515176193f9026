//! Resources of this machine, and their use by this process.

use std::fs;
use std::num::NonZero;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::geteuid;

/// Number of processors that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Processor time of this process so far, in user and system mode.
pub fn cpu_time() -> Duration {
    let time = |value: nix::sys::time::TimeVal| {
        let micros =
            u64::try_from(value.tv_sec()).unwrap_or(0) * 1_000_000 + u64::try_from(value.tv_usec()).unwrap_or(0);
        Duration::from_micros(micros)
    };
    getrusage(UsageWho::RUSAGE_SELF).map_or(Duration::ZERO, |usage| time(usage.user_time()) + time(usage.system_time()))
}

/// Id of the effective user, who owns the files that this process creates.
pub fn user_id() -> u32 {
    geteuid().as_raw()
}

/// Speed of the fastest active network interface that states one, in bits per second. Linux only; many virtual
/// interfaces state none.
pub fn link_bits_per_second() -> Option<u64> {
    let speeds = fs::read_dir("/sys/class/net").ok()?.flatten().filter_map(|interface| {
        let up = fs::read_to_string(interface.path().join("operstate")).ok()?;
        let megabits: u64 = fs::read_to_string(interface.path().join("speed")).ok()?.trim().parse().ok()?;
        (up.trim() == "up").then_some(megabits * 1_000_000)
    });
    speeds.max()
}

/// Makes the allocator of the GNU C library keep some freed memory, instead of returning it to the system and
/// requesting it again for every frame, which takes an eighth of the processor time of a verification. No effect with
/// other allocators.
///
/// When a block with its own mapping is freed, the library doubles the amount of memory that it keeps (mallopt(3),
/// `M_MMAP_THRESHOLD`, "dynamic mmap threshold"). Nothing is written to the block, so it takes no memory.
pub fn keep_freed_memory() {
    const BLOCK: usize = 8 << 20;
    drop(std::hint::black_box(Vec::<u8>::with_capacity(BLOCK)));
}
