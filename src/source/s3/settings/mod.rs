//! Settings for access to AWS, from the environment, the AWS configuration files and the flags. All are read and
//! checked before the first request, so that a wrong setting ends the command with its name.

mod cache;
mod credentials;
mod endpoints;
mod environment;
mod files;
mod plan;
mod process;
mod proxy;
mod scope;
mod values;
mod web_identity;

use std::sync::Arc;

use aws_config::profile::ProfileSet;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

pub(super) use super::setting_error::SettingError;
pub(super) use cache::Cached;
pub(super) use credentials::{Notes, Wire, provider};
pub(crate) use endpoints::Service;
pub(super) use environment::Environment;
pub use scope::SettingsScope;

/// The environment and the selected profile.
#[derive(Debug)]
pub(super) struct Settings {
    env: Environment,
    profiles: ProfileSet,
    /// Whether a flag names the profile, which then takes precedence over the keys of the environment.
    explicit: bool,
    scope: SettingsScope,
}

impl Settings {
    /// Reads the environment and the configuration files. `flag` is the profile from the command line.
    ///
    /// # Errors
    ///
    /// A setting is wrong or a file is unreadable.
    pub(super) async fn load(flag: Option<&str>, scope: SettingsScope) -> Result<Self, SettingError> {
        let env = Environment::read()?;
        proxy::check(&env)?;
        let texts = files::Texts::read(&env)?;
        Settings::of(env, &texts, flag).await?.within(scope)
    }

    /// Settings from an environment and the text of the files. `flag` is the profile from the command line.
    ///
    /// # Errors
    ///
    /// A setting is wrong or a file is malformed.
    pub(super) async fn of(env: Environment, texts: &files::Texts, flag: Option<&str>) -> Result<Self, SettingError> {
        let (name, asked_by) = match (flag, env.get("AWS_PROFILE")) {
            (Some(name), _) => (name.trim().to_owned(), Some("--profile")),
            (None, Some(name)) => (name.to_owned(), Some("AWS_PROFILE")),
            (None, None) => ("default".to_owned(), None),
        };
        let profiles = files::parse(texts, &name).await?;
        // `AWS_PROFILE=default` means the same as no variable.
        let may_be_absent = asked_by.is_none() || (flag.is_none() && name == "default");
        match asked_by {
            Some(setting) if !may_be_absent && profiles.get_profile(&name).is_none() => {
                let (searched, names) = (texts.searched(), values::names(&profiles));
                let text = format!("{setting}: there is no profile `{name}` in {searched}; {names}");
                Err(SettingError::new(text).of(setting))
            }
            _ => {
                let settings = Settings { env, profiles, explicit: flag.is_some(), scope: SettingsScope::Environment };
                // Without this check, its endpoints would be ignored silently and requests would go to AWS.
                match settings.profile("services") {
                    Some(section) if !texts.has_services(section) => {
                        let setting = format!("services of profile `{name}`");
                        let text = format!("{setting}: there is no section [services {section}]");
                        Err(SettingError::new(text).of(setting))
                    }
                    _ => Ok(settings),
                }
            }
        }
    }

    /// Settings from an environment and the text of a configuration file.
    #[cfg(test)]
    pub(crate) async fn test(env: &[(&str, &str)], config: &str) -> Self {
        let env = env.iter().map(|(name, value)| (name.into(), value.into()));
        let texts = files::Texts { config: (String::new(), config.to_owned()), ..Default::default() };
        Settings::of(Environment::of(env).unwrap(), &texts, None).await.unwrap()
    }

    /// The environment variables.
    pub(super) fn env(&self) -> &Environment {
        &self.env
    }

    /// Name of the selected profile.
    pub(super) fn profile_name(&self) -> &str {
        self.profiles.selected_profile()
    }

    /// Where credentials were looked for, after the last of these places failed with `cause`.
    pub(super) fn without_credentials(&self, cause: &str) -> String {
        let name = self.profile_name();
        let profile = match self.profiles.get_profile(name) {
            Some(_) => format!("profile `{name}` has no keys"),
            None => format!("there is no profile `{name}`"),
        };
        let environment = match self.env.get("AWS_ACCESS_KEY_ID") {
            Some(_) => "the keys of the environment do not count beside --profile",
            None => "AWS_ACCESS_KEY_ID is not set",
        };
        format!(
            "no usable credentials: {environment}, {profile}, and the metadata of this machine gives \
             none ({cause})"
        )
    }

    /// A key of the selected profile, without surrounding white space; `None` if it is empty.
    fn profile(&self, key: &str) -> Option<&str> {
        self.profiles.get(key).map(str::trim).filter(|value| !value.is_empty())
    }

    /// The CA file that replaces the system's, with the name of the setting.
    pub(super) fn ca_bundle(&self) -> Option<(String, &str)> {
        if let Some(path) = self.env.get("AWS_CA_BUNDLE") {
            return Some(("AWS_CA_BUNDLE".to_owned(), path));
        }
        self.profile("ca_bundle").map(|path| (format!("ca_bundle of profile `{}`", self.profile_name()), path))
    }

    /// The Region from the flag, the environment or the profile. If the profile has none, the profiles that it takes
    /// its credentials from are searched.
    ///
    /// # Errors
    ///
    /// The value cannot be part of a host name.
    pub(super) fn region(&self, flag: Option<&str>) -> Result<Option<String>, SettingError> {
        let Some((region, setting)) = self.stated_region(flag) else { return Ok(None) };
        let is_label = (1..=63).contains(&region.len())
            && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !region.starts_with('-')
            && !region.ends_with('-');
        // The Region becomes part of host names.
        if is_label {
            Ok(Some(region.to_owned()))
        } else {
            Err(SettingError::new(format!("{setting}: {region:?} is no Region")).of(setting))
        }
    }

    /// The option, variable or key of a profile that sets the Region; `None` if nothing does.
    pub(super) fn region_setting(&self, flag: Option<&str>) -> Option<String> {
        self.stated_region(flag).map(|(_, setting)| setting)
    }

    /// The Region as stated, with its setting.
    fn stated_region<'a>(&'a self, flag: Option<&'a str>) -> Option<(&'a str, String)> {
        let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"];
        let of_env = || variables.iter().find_map(|name| self.env.get(name).map(|region| (region, (*name).to_owned())));
        match flag {
            Some(region) => Some((region.trim(), "--region".to_owned())),
            None => of_env().or_else(|| self.region_of_profiles()),
        }
    }

    fn region_of_profiles(&self) -> Option<(&str, String)> {
        let mut name = self.profile_name();
        for _ in 0..plan::LONGEST_CHAIN {
            let profile = self.profiles.get_profile(name)?;
            let value = |key| profile.get(key).map(str::trim).filter(|value| !value.is_empty());
            if let Some(region) = value("region") {
                return Some((region, format!("region of profile `{name}`")));
            }
            name = value("source_profile")?;
        }
        None
    }

    /// A switch, from a variable or otherwise from a key of the profile; off if neither is set.
    ///
    /// # Errors
    ///
    /// The value is neither `true` nor `false`.
    pub(super) fn switch(&self, variable: &str, key: &str) -> Result<bool, SettingError> {
        let (value, setting) = match (self.env.get(variable), self.profile(key)) {
            (Some(value), _) => (value, variable.to_owned()),
            (None, Some(value)) => (value, format!("{key} of profile `{}`", self.profile_name())),
            (None, None) => return Ok(false),
        };
        match value.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(SettingError::new(format!("{setting} must be `true` or `false`")).of(setting)),
        }
    }
}

/// Answers the few settings that an SDK client looks up itself. Endpoints are excluded: clients receive them
/// explicitly.
#[derive(Debug)]
pub(super) struct Looked(pub Arc<Settings>);

impl LoadServiceConfig for Looked {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if key.env() == endpoints::ENDPOINT {
            return None;
        }
        self.0.env.get(key.env()).or_else(|| self.0.profile(key.profile())).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use proptest::prelude::*;

    use super::*;

    const WORDS: &str = "(\\[|\\]|=|\n|\n  |\r\n| |#|;|default|profile |services |sso-session |p|role_arn|source_profile|\
        credential_source|credential_process|sso_session|sso_region|services|s3|sts|endpoint_url|addressing_style|\
        mfa_serial|region|duration_seconds|aws_access_key_id|aws_secret_access_key|http://h|virtual|\\PC|.){0,60}";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Any content of the files yields settings or an error message, and the settings can be used.
        #[test]
        fn any_files_are_read_or_refused(config in WORDS, credentials in WORDS, profile in "(default|p|.{0,3})") {
            let texts = files::Texts {
                config: ("config".into(), config),
                credentials: ("credentials".into(), credentials),
            };
            let settings = Settings::of(Environment::default(), &texts, Some(&profile)).now_or_never().unwrap();
            if let Ok(settings) = settings {
                let _ = settings.plan();
                let _ = settings.path_style(true);
                let _ = settings.switch("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
                if let Ok(Some(region)) = settings.region(None) {
                    let host = format!("http://s3.{region}.h");
                    prop_assert!(host.parse::<http::Uri>().is_ok());
                }
                for service in Service::ALL {
                    if let Ok(Some(endpoint)) = settings.endpoint(*service, None) {
                        prop_assert!(endpoint.url.parse::<http::Uri>().unwrap().host().is_some());
                    }
                }
            }
        }

        #[test]
        fn any_variables_are_read_or_refused(
            values in proptest::collection::vec(proptest::collection::vec(1_u8.., 0..12), 6),
        ) {
            use std::os::unix::ffi::OsStringExt as _;
            let names = ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "HTTPS_PROXY", "AWS_USE_FIPS_ENDPOINT"];
            let of = |value: Vec<u8>| std::ffi::OsString::from_vec(value);
            let env = Environment::of(names.into_iter().map(Into::into).zip(values.into_iter().map(of)));
            let Ok(env) = env else { return Ok(()) };
            let _ = proxy::check(&env);
            if let Ok(settings) = Settings::of(env, &files::Texts::default(), None).now_or_never().unwrap() {
                let _ = (settings.plan(), settings.region(None), settings.endpoint(Service::S3, None));
            }
        }
    }
}
