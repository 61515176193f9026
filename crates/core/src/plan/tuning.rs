use serde::{Deserialize, Serialize};

use super::Concurrency;

/// The fastest settings that `bench` found, as a file for `verify --tuning`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuning {
    /// [`Tuning::SCHEMA`].
    pub schema: String,
    /// Time of the measurement, RFC 3339.
    pub written_at: String,
    /// The object that was measured.
    pub target: String,
    /// GET requests in flight.
    pub concurrency: usize,
    /// Bytes per GET request, where the references do not determine the range size.
    pub range_bytes: u64,
    /// The measured throughput in bytes per second.
    pub bytes_per_second: u64,
}

impl Tuning {
    /// Value of `schema` in this version of the format.
    pub const SCHEMA: &str = "stored-ami-tuning/1";

    /// Parses a tuning profile.
    ///
    /// # Errors
    ///
    /// When the text is not JSON of this format, has another schema, or holds values out of range; the text
    /// of the error is for the user.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let tuning: Tuning = serde_json::from_str(text).map_err(|error| format!("not a tuning profile: {error}"))?;
        if tuning.schema != Self::SCHEMA {
            return Err(format!("a tuning profile of {}, and this tool reads {}", tuning.schema, Self::SCHEMA));
        }
        if !(1..=1024).contains(&tuning.concurrency) || tuning.range_bytes < 4096 {
            return Err("a tuning profile with a concurrency beyond 1 to 1024, or ranges below 4KiB".to_owned());
        }
        Ok(tuning)
    }

    /// The profile as JSON with a final newline.
    ///
    /// # Errors
    ///
    /// When serialisation fails, which no field can cause.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// The number of GET requests as a setting.
    pub fn concurrency(&self) -> Concurrency {
        Concurrency::Fixed(self.concurrency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let tuning = Tuning {
            schema: Tuning::SCHEMA.to_owned(),
            written_at: "2026-11-25T00:00:00Z".to_owned(),
            target: "s3://b/ami-0123456789abcdef0.bin".to_owned(),
            concurrency: 48,
            range_bytes: 16 << 20,
            bytes_per_second: 5_000_000_000,
        };
        let text = tuning.to_json().unwrap();
        assert_eq!(Tuning::from_json(&text), Ok(tuning.clone()));
        assert!(Tuning::from_json(&text[..40]).is_err());
        assert!(Tuning::from_json(&text.replace("tuning/1", "tuning/2")).unwrap_err().contains("tuning/2"));
        assert!(Tuning::from_json(&text.replace("48", "0")).is_err());
    }
}
