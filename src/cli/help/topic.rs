/// What the help and the manual page of a command show besides its options.
pub(in crate::cli) struct Topic {
    /// Name of the command without that of the program; empty for the program itself.
    pub path: &'static str,
    /// What an example does, and the command line.
    pub examples: &'static [(&'static str, &'static str)],
    /// Exit codes and their meaning.
    pub exits: &'static [(&'static str, &'static str)],
    /// Whether the command sends requests, so that the variables of [`ENVIRONMENT`] apply.
    pub connects: bool,
    /// Files that the command uses besides its arguments.
    pub files: &'static [(&'static str, &'static str)],
}

/// Environment variables of commands that send requests.
pub(in crate::cli) const ENVIRONMENT: &[(&str, &str)] = &[
    ("AWS_PROFILE", "Profile in the AWS configuration files"),
    ("AWS_REGION, AWS_DEFAULT_REGION", "Region"),
    ("AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3", "Endpoint of all services, or of S3"),
    ("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN", "Credentials"),
    ("AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE", "Other places of the AWS configuration files"),
    ("AWS_CA_BUNDLE", "Certificates of trusted authorities (PEM)"),
    ("HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "Proxy, and hosts that are reached without it"),
    ("NO_COLOR", "No colours if set"),
];

impl Topic {
    /// Text at the end of `-h`.
    pub fn brief(&self) -> String {
        let first = self.examples.first().map_or("", |(_, line)| line);
        format!("Example: {first}\n\nMore options, examples and exit codes: --help")
    }

    /// Text at the end of `--help`.
    pub fn full(&self) -> String {
        let mut text = String::from("Examples:\n");
        for (what, line) in self.examples {
            text += &format!("  # {what}\n  {line}\n");
        }
        if self.connects {
            let names: Vec<&str> = ENVIRONMENT.iter().map(|(names, _)| *names).collect();
            text += &format!("\nEnvironment:\n  {}\n", names.join(",\n  "));
        }
        if !self.files.is_empty() {
            text += "\nFiles:\n";
            for (path, what) in self.files {
                text += &format!("  {path}: {what}\n");
            }
        }
        text += "\nExit codes:\n";
        for (code, meaning) in self.exits {
            text += &format!("  {code:<4}{meaning}\n");
        }
        text.truncate(text.trim_end().len());
        text
    }
}
