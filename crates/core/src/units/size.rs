use std::fmt;
use std::str::FromStr;

use super::ParseUnitError;

/// Bytes in one kibibyte.
pub const KIB: u64 = 1 << 10;
/// Bytes in one mebibyte.
pub const MIB: u64 = 1 << 20;
/// Bytes in one gibibyte.
pub const GIB: u64 = 1 << 30;

/// A number of bytes.
///
/// `Display` writes binary units (`8 MiB`, `1.38 GiB`). `FromStr` accepts a plain number, binary units
/// (`8MiB`, `8M`, `8m`) and decimal units (`8MB`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// The number with commas between groups of three digits: `67,108,864`.
    pub fn grouped(self) -> String {
        let digits = self.0.to_string();
        let mut out = String::with_capacity(digits.len() + digits.len() / 3);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                out.push(',');
            }
            out.push(digit);
        }
        out
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < KIB {
            return write!(f, "{} B", self.0);
        }
        let mut value = self.0 as f64 / 1024.0;
        let mut unit = "KiB";
        for next in UNITS.iter().skip(1) {
            // 1023.995 would be printed as "1024.00", so the next unit starts just below 1024.
            if value < 1023.995 {
                break;
            }
            value /= 1024.0;
            unit = next;
        }
        let text = format!("{value:.2}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        write!(f, "{text} {unit}")
    }
}

impl FromStr for ByteSize {
    type Err = ParseUnitError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        let error = || ParseUnitError {
            input: input.to_owned(),
            expected: "a size in bytes such as 8388608, 8MiB, 64M or 5GB",
        };
        let text = input.trim();
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(split).ok_or_else(error)?;
        let number: u64 = number.parse().map_err(|_| error())?;
        let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kib" => KIB,
            "m" | "mib" => MIB,
            "g" | "gib" => GIB,
            "t" | "tib" => GIB * 1024,
            "kb" => 1_000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            "tb" => 1_000_000_000_000,
            _ => return Err(error()),
        };
        number.checked_mul(factor).map(ByteSize).ok_or_else(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_in_binary_units() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (8 * MIB, "8 MiB"),
            (1_483_486_006, "1.38 GiB"),
            (MIB - 1, "1 MiB"),
            (u64::MAX, "16 EiB"),
        ] {
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
    }

    #[test]
    fn reads_what_people_type() {
        for (text, bytes) in
            [("17", 17), ("8MiB", 8 * MIB), ("8M", 8 * MIB), ("8 mib", 8 * MIB), ("5GB", 5_000_000_000)]
        {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "MiB", "8 parsecs", "-1", "1.5G", "99999999999999999999", "18446744073709551615K"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }

    #[test]
    fn groups_digits() {
        assert_eq!(ByteSize(0).grouped(), "0");
        assert_eq!(ByteSize(999).grouped(), "999");
        assert_eq!(ByteSize(1_483_486_006).grouped(), "1,483,486,006");
    }
}
