use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aws_config::profile::ProfileSet;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};

use super::{Environment, SettingError};
use crate::files::{InputError, InputKind, read_text};

/// The configuration files as text.
#[derive(Debug, Default)]
pub(in crate::source::s3) struct Texts {
    pub config: (String, String),
    pub credentials: (String, String),
}

impl Texts {
    /// Files that are not there are empty, as for other AWS tools.
    pub fn read(env: &Environment) -> Result<Self, SettingError> {
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
    /// Whether the configuration has a section `[services NAME]`.
    pub fn has_services(&self, name: &str) -> bool {
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
    // A usual way to say that there is no configuration.
    if path == Path::new("/dev/null") {
        return Ok(String::new());
    }
    match read_text(path, InputKind::AwsConfig) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()),
        // A home folder that may not be looked into holds no configuration for this user.
        Err(InputError::Io(error)) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
            Ok(String::new())
        }
        Err(error) => Err(SettingError::new(format!("{}: {error}", path.display())).caused_by(error)),
    }
}

/// The profiles of both files, with one of them selected.
pub(in crate::source::s3) async fn parse(texts: &Texts, selected: &str) -> Result<ProfileSet, SettingError> {
    // One by one first, so that a problem has the name of its file.
    for (kind, (path, text)) in
        [(EnvConfigFileKind::Config, &texts.config), (EnvConfigFileKind::Credentials, &texts.credentials)]
    {
        let files = EnvConfigFiles::builder().with_contents(kind, text).build();
        load(&files, selected).await.map_err(|problem| format!("{path}: {problem}"))?;
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
    // The parser's message may quote a line, and a line may hold a key: only its number is shown.
    loaded.map_err(|error| {
        // Nor is the error kept, whose messages quote the line.
        let text = super::super::causes::root_cause(&error);
        let line = text.split(" on line ").nth(1).and_then(|rest| rest.split(':').next());
        match line.and_then(|line| line.parse::<u32>().ok()) {
            Some(line) => SettingError::new(format!("line {line} is no line of an AWS configuration file")),
            None => SettingError::new("this is no AWS configuration file"),
        }
    })
}
