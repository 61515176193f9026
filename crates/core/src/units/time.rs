/// A duration in seconds as text: in seconds below two minutes, in minutes below two hours, else in hours. It is rounded
/// up, so that nothing takes longer than what is shown.
pub fn duration(seconds: f64) -> String {
    // A whole number of milliseconds, so that the error of a float adds no unit.
    let millis = (seconds.max(0.0) * 1000.0).round() as u64;
    let up = |unit: u64| millis.div_ceil(unit);
    let tenths = |unit: u64| format!("{}.{}", up(unit / 10) / 10, up(unit / 10) % 10);
    match millis {
        ..10_000 => format!("{} s", tenths(1000)),
        10_000..120_000 => format!("{} s", up(1000)),
        120_000..7_200_000 => format!("{} min", up(60_000)),
        _ => format!("{} h", tenths(3_600_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_rounded_up_in_a_unit_that_fits() {
        for (seconds, text) in [
            (0.0, "0.0 s"),
            (0.01, "0.1 s"),
            (9.9, "9.9 s"),
            (10.0, "10 s"),
            (118.2, "119 s"),
            (120.0, "2 min"),
            (121.0, "3 min"),
            (3748.0, "63 min"),
            (7200.0, "2.0 h"),
            (7201.0, "2.1 h"),
            (86_400.0, "24.0 h"),
            (-1.0, "0.0 s"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
    }
}
