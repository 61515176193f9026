//! Names that the environment and the configuration file may set, and those that only a flag may.

/// A setting of the environment or the configuration file: where to connect, how fast, how much memory and how to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    Region,
    EndpointUrl,
    Concurrency,
    MaxMemory,
    MaxRate,
    Retries,
    Timeout,
    Color,
    Progress,
    LogFile,
}

impl Setting {
    pub(super) const ALL: [Setting; 10] = [
        Setting::Region,
        Setting::EndpointUrl,
        Setting::Concurrency,
        Setting::MaxMemory,
        Setting::MaxRate,
        Setting::Retries,
        Setting::Timeout,
        Setting::Color,
        Setting::Progress,
        Setting::LogFile,
    ];

    /// Its name in the environment.
    pub(super) fn variable(self) -> String {
        format!("STORED_AMI_{}", self.key().to_ascii_uppercase())
    }

    /// Its key in the configuration file.
    pub(super) fn key(self) -> &'static str {
        match self {
            Setting::Region => "region",
            Setting::EndpointUrl => "endpoint_url",
            Setting::Concurrency => "concurrency",
            Setting::MaxMemory => "max_memory",
            Setting::MaxRate => "max_rate",
            Setting::Retries => "retries",
            Setting::Timeout => "timeout",
            Setting::Color => "color",
            Setting::Progress => "progress",
            Setting::LogFile => "log_file",
        }
    }
}

/// Why only a flag may set something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Judgement,
    Harm,
    Consent,
    Credentials,
}

impl Refusal {
    /// The reason, with the subject left out.
    pub(super) fn why(self) -> &'static str {
        match self {
            Refusal::Judgement => {
                "decides what is checked or accepted, so it must be visible in the command: give it as a flag"
            }
            Refusal::Harm => "decides what is overwritten or deleted, so it must be given as a flag each time",
            Refusal::Consent => "confirms costs or changes, so it must be given as a flag each time",
            Refusal::Credentials => {
                "chooses credentials, which stored-ami takes from the AWS environment variables and files only"
            }
        }
    }
}

const REFUSED: [(Refusal, &[&str]); 4] = [
    (
        Refusal::Judgement,
        &[
            "accept",
            "all_keys",
            "decode",
            "digest",
            "etag",
            "expect",
            "expected_bucket_owner",
            "image_limit",
            "images",
            "inventory",
            "level",
            "like",
            "list",
            "logical_size",
            "manifest",
            "manifest_key",
            "max_age",
            "max_bytes",
            "max_cost",
            "max_time",
            "no_reread",
            "no_tags",
            "policy",
            "prices",
            "probe",
            "record",
            "require",
            "restore_limit",
            "sample",
            "shard",
            "slice",
            "store_limit",
            "sums",
            "using",
            "verify",
            "version_id",
        ],
    ),
    (Refusal::Harm, &["delete", "force", "overwrite"]),
    (Refusal::Consent, &["dry_run", "request_payer", "yes"]),
    (
        Refusal::Credentials,
        &[
            "access_key",
            "access_key_id",
            "aws_access_key_id",
            "aws_profile",
            "aws_secret_access_key",
            "aws_session_token",
            "credential_process",
            "credentials",
            "no_sign_request",
            "profile",
            "role_arn",
            "secret_access_key",
            "secret_key",
            "session_token",
            "sse_c_key_file",
        ],
    ),
];

/// What a key or the end of a variable's name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Known(Setting),
    Refused(Refusal),
    /// Unknown, with the setting whose name is most similar.
    Unknown(Option<Setting>),
}

impl Key {
    /// Classifies a key. `-` counts as `_`, and case does not matter.
    pub(super) fn of(text: &str) -> Self {
        let plain = text.to_ascii_lowercase().replace('-', "_");
        if let Some(setting) = Setting::ALL.into_iter().find(|setting| setting.key() == plain) {
            return if plain == text { Key::Known(setting) } else { Key::Unknown(Some(setting)) };
        }
        if let Some((refusal, _)) = REFUSED.into_iter().find(|(_, names)| names.contains(&plain.as_str())) {
            return Key::Refused(refusal);
        }
        let near = Setting::ALL.into_iter().map(|setting| (strsim::levenshtein(&plain, setting.key()), setting));
        let nearest = near.min_by_key(|(distance, _)| *distance).filter(|(distance, _)| *distance <= 2);
        Key::Unknown(nearest.map(|(_, setting)| setting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_refused_or_unknown_with_a_suggestion() {
        assert_eq!(Key::of("max_rate"), Key::Known(Setting::MaxRate));
        assert_eq!(Key::of("max-rate"), Key::Unknown(Some(Setting::MaxRate)));
        assert_eq!(Key::of("regoin"), Key::Unknown(Some(Setting::Region)));
        assert_eq!(Key::of("colour"), Key::Unknown(Some(Setting::Color)));
        assert_eq!(Key::of("nonsense"), Key::Unknown(None));
        assert_eq!(Key::of("Accept"), Key::Refused(Refusal::Judgement));
        assert_eq!(Key::of("force"), Key::Refused(Refusal::Harm));
        assert_eq!(Key::of("yes"), Key::Refused(Refusal::Consent));
        assert_eq!(Key::of("aws-secret-access-key"), Key::Refused(Refusal::Credentials));
        let all = REFUSED.into_iter().flat_map(|(_, names)| names);
        assert!(all.into_iter().all(|name| Setting::ALL.iter().all(|setting| setting.key() != *name)));
    }
}
