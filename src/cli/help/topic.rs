/// Pairs of what is shown and what it means.
pub(super) type Rows = &'static [(&'static str, &'static str)];

pub(super) const AWS_FILES: Rows =
    &[("~/.aws/config", "profiles, Regions and endpoints"), ("~/.aws/credentials", "credentials of profiles")];

/// A command that sends no requests.
pub(super) const fn local(path: &'static str, examples: Rows, exits: Rows) -> Topic {
    Topic { path, examples, exits, connects: false, files: &[] }
}

/// A command that sends requests.
pub(super) const fn remote(path: &'static str, examples: Rows, exits: Rows) -> Topic {
    Topic { path, examples, exits, connects: true, files: AWS_FILES }
}

/// What the help and the manual page of a command show besides its options.
pub(in crate::cli) struct Topic {
    /// Name of the command without that of the program; empty for the program itself.
    pub path: &'static str,
    /// What an example does, and the command line.
    pub examples: &'static [(&'static str, &'static str)],
    /// Exit codes and their meaning.
    pub exits: &'static [(&'static str, &'static str)],
    /// Whether the command sends requests, so that the variables of AWS apply.
    pub connects: bool,
    /// Files that the command uses besides its arguments.
    pub files: &'static [(&'static str, &'static str)],
}

/// Environment variables of commands that send requests.
const OF_REQUESTS: &[(&str, &str)] = &[
    ("AWS_PROFILE", "Profile in the AWS configuration files"),
    ("AWS_REGION, AWS_DEFAULT_REGION", "Region"),
    ("AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3", "Endpoint of all services, or of S3"),
    ("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN", "Credentials"),
    ("AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE", "Other places of the AWS configuration files"),
    ("AWS_CA_BUNDLE", "Certificates of trusted authorities (PEM)"),
    ("HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "Proxy, and hosts that are reached without it"),
    ("STORED_AMI_REGION, STORED_AMI_ENDPOINT_URL", "Region and endpoint for this program only; not for `copy`"),
    ("STORED_AMI_RETRIES, STORED_AMI_TIMEOUT, STORED_AMI_MAX_RATE", "Limits of requests"),
];

/// Environment variables of every command.
const OF_ALL: &[(&str, &str)] = &[
    ("STORED_AMI_CONFIG", "Another configuration file; none if it is empty"),
    ("STORED_AMI_COLOR, STORED_AMI_PROGRESS, STORED_AMI_LOG_FILE", "Colours, progress and log file"),
    ("NO_COLOR, CLICOLOR_FORCE, CLICOLOR", "Colours, unless an option or STORED_AMI_COLOR sets them"),
    ("LC_ALL, LC_CTYPE, LANG", "Text is ASCII, unless the locale is one of UTF-8"),
];

impl Topic {
    /// Environment variables, and what they do.
    pub(crate) fn environment(&self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        let of_requests = if self.connects { OF_REQUESTS } else { &[] };
        of_requests.iter().chain(OF_ALL)
    }

    /// Text at the end of `-h`.
    pub(crate) fn brief(&self) -> String {
        let first = self.examples.first().map_or("", |(_, line)| line);
        format!("Example: {first}\n\nMore options, examples and exit codes: --help")
    }

    /// Text at the end of `--help`.
    pub(crate) fn full(&self) -> String {
        let mut text = String::from("Examples:\n");
        for (what, line) in self.examples {
            text += &format!("  # {what}\n  {line}\n");
        }
        let names: Vec<&str> = self.environment().map(|(names, _)| *names).collect();
        text += &format!("\nEnvironment:\n  {}\n", names.join(",\n  "));
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
