//! Values of the environment and the configuration file.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum as _;

use super::name::Setting;
use crate::cli::args::{rate, retries, size, time};
use crate::cli::global::ColourWhen;
use crate::ident::redact_urls;
use crate::plan::Concurrency;
use crate::report::SettingReport;
use crate::units::ByteSize;

/// A value with its text and its origin: a variable or a file.
#[derive(Debug, Clone)]
pub(super) struct Given<T> {
    value: T,
    text: String,
    source: String,
}

impl<T> Given<T> {
    /// The value.
    pub(super) fn value(&self) -> &T {
        &self.value
    }

    /// The variable or the file.
    pub(super) fn source(&self) -> &str {
        &self.source
    }
}

/// The first value of each setting: those of the environment are added before those of the file.
#[derive(Debug, Default)]
pub(super) struct GivenSettings {
    pub region: Option<Given<String>>,
    pub endpoint_url: Option<Given<String>>,
    pub concurrency: Option<Given<Concurrency>>,
    pub max_memory: Option<Given<ByteSize>>,
    pub max_rate: Option<Given<ByteSize>>,
    pub retries: Option<Given<u32>>,
    pub timeout: Option<Given<Duration>>,
    pub color: Option<Given<ColourWhen>>,
    pub progress: Option<Given<bool>>,
    pub log_file: Option<Given<PathBuf>>,
}

impl GivenSettings {
    /// Adds a value, unless a source of higher precedence gave one. It is parsed in either case.
    ///
    /// # Errors
    ///
    /// What the setting takes instead.
    pub(super) fn add(&mut self, setting: Setting, text: &str, source: &str) -> Result<(), String> {
        match setting {
            Setting::Region => put(&mut self.region, text, source, plain),
            Setting::EndpointUrl => put(&mut self.endpoint_url, text, source, plain),
            Setting::Concurrency => put(&mut self.concurrency, text, source, Concurrency::from_str),
            Setting::MaxMemory => put(&mut self.max_memory, text, source, size),
            Setting::MaxRate => put(&mut self.max_rate, text, source, rate),
            Setting::Retries => put(&mut self.retries, text, source, retries),
            Setting::Timeout => put(&mut self.timeout, text, source, time),
            Setting::Color => put(&mut self.color, text, source, |text| {
                ColourWhen::from_str(text, false).map_err(|_| "auto, always or never".to_owned())
            }),
            Setting::Progress => {
                put(&mut self.progress, text, source, |text| text.parse().map_err(|_| "true or false".to_owned()))
            }
            Setting::LogFile => put(&mut self.log_file, text, source, |text| Ok(PathBuf::from(text))),
        }
    }
}

fn put<T>(
    place: &mut Option<Given<T>>,
    text: &str,
    source: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<(), String> {
    let given = Given { value: parse(text)?, text: text.to_owned(), source: source.to_owned() };
    place.get_or_insert(given);
    Ok(())
}

fn plain(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("a value that is not empty".to_owned()) } else { Ok(text.to_owned()) }
}

/// A value as it may be printed. Anything in an endpoint besides scheme, host and port may be a password.
fn shown(setting: Setting, text: &str) -> String {
    if setting != Setting::EndpointUrl {
        return redact_urls(text).into_owned();
    }
    let rest = text.strip_prefix("https://").or(text.strip_prefix("http://")).unwrap_or_default();
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = rest.rsplit_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    let of_host = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
    let is_plain = !host.is_empty() && host.chars().all(of_host) && port.is_none_or(|port| port.parse::<u16>().is_ok());
    if is_plain { text.to_owned() } else { "(not shown)".to_owned() }
}

/// The settings that a command uses, with their sources.
#[derive(Debug, Default)]
pub(super) struct Applied(pub Vec<SettingReport>);

impl Applied {
    /// The value of the flag, or else the given one, which is then recorded.
    pub(super) fn choose<T: Clone>(
        &mut self,
        flag: Option<T>,
        setting: Setting,
        given: Option<&Given<T>>,
    ) -> Option<T> {
        flag.or_else(|| {
            let given = given?;
            self.0.push(SettingReport {
                name: setting.key().to_owned(),
                value: shown(setting, &given.text),
                source: given.source.clone(),
            });
            Some(given.value.clone())
        })
    }

    /// Fills in what no flag gave.
    pub(super) fn fill<T: Clone>(&mut self, flag: &mut Option<T>, setting: Setting, given: Option<&Given<T>>) {
        *flag = self.choose(flag.take(), setting, given);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_source_counts_and_every_value_is_parsed() {
        let mut given = GivenSettings::default();
        given.add(Setting::Retries, "3", "STORED_AMI_RETRIES").unwrap();
        given.add(Setting::Retries, "5", "config.toml").unwrap();
        assert_eq!(given.add(Setting::Retries, "-1", "config.toml").unwrap_err(), "a number from 0 to 100");
        let mut applied = Applied::default();
        assert_eq!(applied.choose(Some(9), Setting::Retries, given.retries.as_ref()), Some(9));
        assert!(applied.0.is_empty(), "a flag is not a setting");
        assert_eq!(applied.choose(None, Setting::Retries, given.retries.as_ref()), Some(3));
        assert_eq!(applied.0[0].source, "STORED_AMI_RETRIES");
        assert_eq!(applied.choose(None, Setting::MaxRate, given.max_rate.as_ref()), None);
    }

    #[test]
    fn an_endpoint_is_shown_if_it_can_hold_no_password() {
        for plain in ["http://127.0.0.1:9000", "https://s3.example.org/", "http://[::1]:80"] {
            assert_eq!(shown(Setting::EndpointUrl, plain), plain);
        }
        for other in ["http://u:p@h", "http://u:secret", "u:p@h", "http:/u:p@h", "https://h/?token=x", "https://h/path"]
        {
            assert_eq!(shown(Setting::EndpointUrl, other), "(not shown)");
        }
    }

    #[test]
    fn wrong_values() {
        let mut given = GivenSettings::default();
        for (setting, text) in [
            (Setting::Region, " "),
            (Setting::Concurrency, "0"),
            (Setting::MaxMemory, "much"),
            (Setting::MaxRate, "0"),
            (Setting::Retries, "101"),
            (Setting::Timeout, "0s"),
            (Setting::Color, "red"),
            (Setting::Progress, "yes"),
        ] {
            assert!(given.add(setting, text, "x").is_err(), "{setting:?} {text}");
        }
    }
}
