use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aws_config::profile::ProfileSet;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};

use super::{Environment, SettingError};
use crate::files::{InputError, InputKind, read_text};

/// The text of the configuration files, each with its path.
#[derive(Debug, Default)]
pub(in crate::source::s3) struct Texts {
    /// Path and text of the `config` file.
    pub config: (String, String),
    /// Path and text of the `credentials` file.
    pub credentials: (String, String),
}

impl Texts {
    /// Reads both files. A missing file is empty, as in other AWS tools.
    ///
    /// # Errors
    ///
    /// A file cannot be read for another reason.
    pub(crate) fn read(env: &Environment) -> Result<Self, SettingError> {
        let read = |variable: &str, usual: &str| {
            let path = path(env, variable, usual);
            let text = path.as_deref().map_or_else(|| Ok(String::new()), text)?;
            Ok::<_, SettingError>((path.map_or_else(String::new, |path| path.display().to_string()), text))
        };
        Ok(Texts {
            config: read("AWS_CONFIG_FILE", ".aws/config")?,
            credentials: read("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")?,
        })
    }
}

impl Texts {
    /// The paths of both files.
    pub(crate) fn searched(&self) -> String {
        let paths = [&self.config.0, &self.credentials.0];
        let known: Vec<&str> = paths.into_iter().map(String::as_str).filter(|path| !path.is_empty()).collect();
        match known.as_slice() {
            [] => "any file: HOME, AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE are not set".to_owned(),
            paths => paths.join(" and "),
        }
    }

    /// Whether the configuration file has a section `[services NAME]`.
    pub(crate) fn has_services(&self, name: &str) -> bool {
        let header = |line: &str| {
            let inner = line.trim().strip_prefix('[')?.split(']').next()?;
            Some(inner.split_whitespace().eq(["services", name]))
        };
        self.config.1.lines().any(|line| header(line) == Some(true))
    }
}

fn path(env: &Environment, variable: &str, usual: &str) -> Option<PathBuf> {
    let home = env.get("HOME").map(Path::new);
    match env.get(variable) {
        None => home.map(|home| home.join(usual)),
        Some(given) => match (given.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => Some(home.join(rest)),
            _ => Some(PathBuf::from(given)),
        },
    }
}

fn text(path: &Path) -> Result<String, SettingError> {
    // The usual way to say that there is no configuration.
    if path == Path::new("/dev/null") {
        return Ok(String::new());
    }
    match read_text(path, InputKind::AwsConfig) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()),
        // A home directory that this user may not read contains no configuration for them.
        Err(InputError::Io(error)) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
            Ok(String::new())
        }
        Err(error) => Err(SettingError::new(format!("{}: {error}", path.display()))
            .of(path.display().to_string())
            .caused_by(error)),
    }
}

/// The profiles of both files, with `selected` as the current one.
///
/// # Errors
///
/// A file is malformed; the message names the line and does not quote it.
pub(in crate::source::s3) async fn parse(texts: &Texts, selected: &str) -> Result<ProfileSet, SettingError> {
    // Each file alone first, so that an error names its file.
    for (kind, (path, text)) in
        [(EnvConfigFileKind::Config, &texts.config), (EnvConfigFileKind::Credentials, &texts.credentials)]
    {
        let files = EnvConfigFiles::builder().with_contents(kind, text).build();
        load(&files, selected).await.map_err(|problem| SettingError::new(format!("{path}: {problem}")).of(path))?;
    }
    let both = EnvConfigFiles::builder()
        .with_contents(EnvConfigFileKind::Config, &texts.config.1)
        .with_contents(EnvConfigFileKind::Credentials, &texts.credentials.1)
        .build();
    load(&both, selected).await
}

async fn load(files: &EnvConfigFiles, selected: &str) -> Result<ProfileSet, SettingError> {
    let nothing = (Fs::from_slice(&[]), Env::from_slice(&[]));
    let loaded = aws_config::profile::load(&nothing.0, &nothing.1, files, Some(selected.to_owned().into())).await;
    // The parser's message may quote a line with a key, so only the number of the line is shown.
    loaded.map_err(|error| {
        // The error is not kept as a cause either: its messages quote the line.
        let text = super::super::causes::root_cause(&error);
        let line = text.split(" on line ").nth(1).and_then(|rest| rest.split(':').next());
        match line.and_then(|line| line.parse::<u32>().ok()) {
            Some(line) => SettingError::new(format!("line {line} is no line of an AWS configuration file")),
            None => SettingError::new("this is no AWS configuration file"),
        }
    })
}
