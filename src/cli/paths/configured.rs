use std::path::{Path, PathBuf};

/// The files that the AWS configuration consists of and refers to, each with its origin.
pub(super) fn configured_files() -> Vec<(String, PathBuf)> {
    let mut files = Vec::new();
    let mut input = |by: &str, path: &Path| files.push((by.to_owned(), path.to_owned()));
    let variables = [
        "AWS_CA_BUNDLE",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    ];
    let of_env = |name: &str| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = of_env("HOME");
    let mut configuration = Vec::new();
    for variable in variables {
        let Some(path) = of_env(variable) else { continue };
        let path = match (path.strip_prefix("~"), &home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => path,
        };
        input(variable, &path);
        if matches!(variable, "AWS_CONFIG_FILE" | "AWS_SHARED_CREDENTIALS_FILE") {
            configuration.push(path);
        }
    }
    if let Some(home) = home {
        configuration.extend(["config", "credentials"].map(|name| home.join(".aws").join(name)));
        let tokens = std::fs::read_dir(home.join(".aws/sso/cache")).into_iter().flatten().flatten();
        tokens.for_each(|token| input("a token of the AWS configuration,", &token.path()));
    }
    for path in configuration {
        input("the AWS configuration", &path);
        for (key, file) in files_of_profiles(&path) {
            input(&format!("{key} in {},", path.display()), &file);
        }
    }
    files
}

/// Files that a profile of an AWS configuration file refers to, with their keys. A file that cannot be parsed refers to
/// none; the code that reads it reports the problem.
fn files_of_profiles(configuration: &Path) -> Vec<(String, PathBuf)> {
    const KEYS: [&str; 2] = ["ca_bundle", "web_identity_token_file"];
    /// Far more than any real configuration file.
    const MOST_BYTES: u64 = 16 << 20;
    if !std::fs::metadata(configuration).is_ok_and(|found| found.is_file() && found.len() <= MOST_BYTES) {
        return Vec::new();
    }
    let text = std::fs::read(configuration).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let of_line = |line: &str| {
        let (key, value) = line.split_once('=')?;
        let (key, value) = (key.trim(), value.trim());
        let file = value.split([' ', '\t']).next().unwrap_or(value);
        let named = KEYS.contains(&key) && !value.is_empty();
        // A comment may follow the name, or the name may contain the comment character.
        named.then(|| [value, file].map(|file| (key.to_owned(), PathBuf::from(file))))
    };
    text.lines().filter_map(of_line).flatten().collect()
}
