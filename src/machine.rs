//! Resources of this machine, and their use by this process.

use std::fs;
use std::num::NonZero;
use std::time::Duration;

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage};
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

/// Bytes of memory that this process may still use: what the system calls available, or what the control group leaves
/// if that is less. Linux only.
pub fn available_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let kibibytes = text.lines().find_map(|line| line.strip_prefix("MemAvailable:")?.split_whitespace().next());
    let system = kibibytes?.parse::<u64>().ok()? << 10;
    let group =
        |name: &str| fs::read_to_string(format!("/sys/fs/cgroup/memory.{name}")).ok()?.trim().parse::<u64>().ok();
    let left = group("max").zip(group("current")).map(|(max, current)| max.saturating_sub(current));
    Some(left.map_or(system, |left| left.min(system)))
}

/// Number of files, and so of connections, that this process may open.
pub fn open_files_limit() -> Option<u64> {
    getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft)
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
