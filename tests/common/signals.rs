//! Signals that end a command.

/// The arguments of `kill` for the signals that a process started by the tests heeds. A process inherits the signals
/// that are ignored: shells start commands that end with `&` with SIGINT ignored, and `nohup` ignores SIGHUP.
pub fn heeded_signals() -> Vec<&'static str> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap());
    [("-HUP", 1), ("-INT", 2), ("-TERM", 15)]
        .into_iter()
        .filter(|(_, number)| ignored & (1 << (number - 1)) == 0)
        .map(|(name, _)| name)
        .collect()
}
