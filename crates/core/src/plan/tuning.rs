use serde::{Deserialize, Serialize};

use super::Concurrency;

/// What a bench found to be best for reading, as a file that `verify --tuning` takes up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuning {
    /// `stored-ami-tuning/1`.
    pub schema: String,
    pub written_at: String,
    /// The object it was measured with.
    pub target: String,
    /// GETs in flight.
    pub concurrency: usize,
    /// What one GET asks for, where the proof leaves the choice.
    pub range_bytes: u64,
    /// What came of it.
    pub bytes_per_second: u64,
}

impl Tuning {
    pub const SCHEMA: &str = "stored-ami-tuning/1";

    /// A tuning, if the text is one of this version and makes sense.
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

    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

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
