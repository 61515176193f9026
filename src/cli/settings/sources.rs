//! Reads the environment and the configuration file.

#[cfg(all(feature = "s3", feature = "lab"))]
use std::ffi::OsStr;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::given::GivenSettings;
use super::name::{Key, Setting};
use crate::cli::usage::{UsageError, read};
use crate::files::{InputKind, only_owner_writes};

const PREFIX: &str = "STORED_AMI_";
/// The path of the configuration file.
const CONFIG: &str = "STORED_AMI_CONFIG";
/// Variables of the test suite.
const OF_TESTS: [&str; 2] = ["CLIENTS", "TEST_"];

/// Whether a variable of the environment is, or looks like, a setting of this program.
#[cfg(all(feature = "s3", feature = "lab"))]
pub(in crate::cli) fn is_setting(variable: &OsStr) -> bool {
    variable.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

/// The environment and the configuration file.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub given: GivenSettings,
    /// The configuration file, if there is one.
    pub file: Option<PathBuf>,
    pub warnings: Vec<String>,
}

impl Sources {
    /// Reads both; the environment has precedence.
    ///
    /// # Errors
    ///
    /// A value is wrong, a name is one that only a flag may set, or the file cannot be trusted, read or parsed.
    pub(super) fn read(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Self, UsageError> {
        let mut sources = Sources::default();
        let mut ours: Vec<_> = variables
            .filter_map(|(name, value)| Some((name.to_str()?.strip_prefix(PREFIX)?.to_owned(), value)))
            .filter(|(name, _)| name != "CONFIG" && !OF_TESTS.iter().any(|known| name.starts_with(known)))
            .collect();
        ours.sort();
        for (name, value) in ours {
            sources.variable(&name, value)?;
        }
        sources.file = configuration_file()?;
        if let Some(path) = sources.file.clone() {
            sources.configuration(&path)?;
        }
        Ok(sources)
    }

    /// A variable without a value counts as not set.
    fn variable(&mut self, name: &str, value: OsString) -> Result<(), UsageError> {
        let variable = format!("{PREFIX}{name}");
        match Key::of(&name.to_ascii_lowercase()) {
            Key::Refused(refusal) => Err(UsageError(format!("{variable}: {}", refusal.why()))),
            Key::Known(_) if value.is_empty() => Ok(()),
            Key::Known(setting) if name.chars().all(|c| !c.is_ascii_lowercase()) => {
                let text = value.into_string().map_err(|_| UsageError(format!("{variable}: is not UTF-8 text")))?;
                let wrong = |expected| UsageError(format!("{variable}={text}: expected {expected}"));
                self.given.add(setting, &text, &variable).map_err(wrong)
            }
            Key::Known(setting) | Key::Unknown(Some(setting)) => {
                let meant = setting.variable();
                self.warnings.push(format!("{variable} is not a setting and has no effect; did you mean {meant}?"));
                Ok(())
            }
            Key::Unknown(None) => {
                self.warnings.push(format!("{variable} is not a setting and has no effect"));
                Ok(())
            }
        }
    }

    fn configuration(&mut self, path: &Path) -> Result<(), UsageError> {
        let wrong = |problem: String| UsageError(format!("{}: {problem}", path.display()));
        // Whoever can change the file can send the reads to an endpoint of their own.
        only_owner_writes(path).map_err(|problem| wrong(format!("{problem}; a configuration file must belong to you or root, and only its owner may write it (chmod go-w)")))?;
        let text = read(path, InputKind::Configuration)?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1);
            wrong(format!("line {line}: {}", error.message()))
        })?;
        let source = path.display().to_string();
        for (key, value) in &table {
            match Key::of(key) {
                Key::Known(setting) => {
                    let text =
                        value_of(setting, value).map_err(|expected| wrong(format!("{key}: expected {expected}")))?;
                    let added = self.given.add(setting, &text, &source);
                    added.map_err(|expected| wrong(format!("{key} = {text}: expected {expected}")))?;
                }
                Key::Refused(refusal) => return Err(wrong(format!("{key}: {}", refusal.why()))),
                Key::Unknown(Some(near)) => {
                    return Err(wrong(format!("{key} is not a setting; did you mean {}?", near.key())));
                }
                Key::Unknown(None) => {
                    let known = Setting::ALL.map(Setting::key).join(", ");
                    return Err(wrong(format!("{key} is not a setting; there are {known}")));
                }
            }
        }
        Ok(())
    }
}

/// A value as a flag would take it. Relative paths are refused: which file they mean would depend on the directory in
/// which the command runs.
fn value_of(setting: Setting, value: &toml::Value) -> Result<String, String> {
    let text = match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Boolean(on) => on.to_string(),
        _ => return Err("a string, a whole number, true or false".to_owned()),
    };
    if setting != Setting::LogFile || Path::new(&text).is_absolute() {
        return Ok(text);
    }
    let home = text.strip_prefix("~/").zip(absolute("HOME"));
    let Some((rest, home)) = home else { return Err("an absolute path, or one that begins with ~/".to_owned()) };
    let path = home.join(rest).into_os_string().into_string();
    path.map_err(|_| "a path that is UTF-8 text".to_owned())
}

/// The file that `STORED_AMI_CONFIG` names, or that of the XDG Base Directory Specification if it exists. An empty
/// variable means no file.
fn configuration_file() -> Result<Option<PathBuf>, UsageError> {
    if let Some(named) = std::env::var_os(CONFIG) {
        if named.is_empty() {
            return Ok(None);
        }
        let path = PathBuf::from(named);
        return match std::fs::metadata(&path) {
            Ok(_) => Ok(Some(path)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(UsageError(format!(
                "{CONFIG} names {}, and there is no such file; name a file that exists, or unset the variable",
                path.display()
            ))),
            Err(error) => Err(UsageError(format!("{CONFIG} names {}: {error}", path.display()))),
        };
    }
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
    let path = folder.map(|folder| folder.join("stored-ami").join("config.toml"));
    Ok(path.filter(|path| std::fs::symlink_metadata(path).is_ok()))
}

fn absolute(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}
