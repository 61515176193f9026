use super::environment::is_proxy;
use super::{SettingError, Settings};

/// Where the settings of a connection come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SettingsScope {
    /// From the flags, the environment, the profile and the machine, in this order.
    #[default]
    Environment,
    /// From the flags and the profile that a flag names. A command with two connections uses it for each that has its
    /// own profile: a variable such as `AWS_REGION` would apply to both, and sign the requests of one of them for
    /// another partition.
    Profile,
}

/// Variables that locate files and the network of this machine. None of them states an identity, a Region or an
/// endpoint.
const OF_THE_MACHINE: [&str; 9] = [
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_SHARED_CREDENTIALS_FILE",
    "HOME",
    "NO_PROXY",
];

fn is_of_the_machine(name: &str) -> bool {
    OF_THE_MACHINE.contains(&name) || name == "no_proxy" || is_proxy(name)
}

impl Settings {
    /// The same settings, without those outside of the scope.
    ///
    /// # Errors
    ///
    /// The scope is a profile, and no flag names one.
    pub(super) fn within(self, scope: SettingsScope) -> Result<Self, SettingError> {
        match scope {
            SettingsScope::Environment => Ok(self),
            SettingsScope::Profile if !self.explicit => Err(SettingError::new("no profile is named")),
            SettingsScope::Profile => Ok(Settings { env: self.env.only(is_of_the_machine), scope, ..self }),
        }
    }

    /// Whether only the flags and the profile count.
    pub(crate) fn is_of_profile_only(&self) -> bool {
        self.scope == SettingsScope::Profile
    }

    /// Checks that credentials may be taken from the container or instance that runs this program although no setting
    /// says so.
    ///
    /// # Errors
    ///
    /// Only the profile counts, and it names no credentials.
    pub(super) fn may_use_machine(&self) -> Result<(), SettingError> {
        if !self.is_of_profile_only() {
            return Ok(());
        }
        let name = self.profile_name();
        Err(SettingError::new(format!(
            "profile `{name}` has no credentials, and this connection takes them from its profile only; \
             credential_source = Ec2InstanceMetadata or EcsContainer in the profile uses those of this machine"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::Texts;
    use super::super::{Environment, Service};
    use super::*;

    const ENV: [(&str, &str); 12] = [
        ("AWS_REGION", "us-wrong-1"),
        ("AWS_DEFAULT_REGION", "us-wrong-2"),
        ("AWS_ENDPOINT_URL", "http://wrong.example"),
        ("AWS_ENDPOINT_URL_S3", "http://wrong.example"),
        ("AWS_CA_BUNDLE", "/wrong"),
        ("AWS_ACCESS_KEY_ID", "WRONG"),
        ("AWS_SECRET_ACCESS_KEY", "WRONG"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
        ("AWS_PROFILE", "wrong"),
        ("AWS_ROLE_ARN", "arn:wrong"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/wrong"),
    ];

    async fn settings(config: &str) -> Settings {
        let env = Environment::of(ENV.iter().map(|(name, value)| (name.into(), value.into()))).unwrap();
        let texts = Texts { config: ("config".into(), config.into()), ..Texts::default() };
        Settings::of(env, &texts, Some("own")).await.unwrap().within(SettingsScope::Profile).unwrap()
    }

    #[tokio::test]
    async fn nothing_of_the_environment_reaches_a_connection_of_a_profile() {
        let own = settings("[profile own]\naws_access_key_id = OWN\naws_secret_access_key = s\n").await;
        assert_eq!(own.region(None), Ok(None));
        assert_eq!(own.ca_bundle(), None);
        assert_eq!(own.endpoint(Service::S3, None).unwrap().map(|endpoint| endpoint.url), None);
        assert_eq!(own.switch("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"), Ok(false));
        assert_eq!(own.switch("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"), Ok(false));
        assert!(format!("{:?}", own.plan()).contains("Profile {"), "{:?}", own.plan());
    }

    #[tokio::test]
    async fn what_the_profile_states_counts() {
        let config = "[profile own]\nregion = us-gov-west-1\nca_bundle = /own\nendpoint_url = http://own.example\n\
            use_fips_endpoint = true\nrole_arn = arn:own\ncredential_source = Environment\n";
        let own = settings(config).await;
        assert_eq!(own.region(None).unwrap().as_deref(), Some("us-gov-west-1"));
        assert_eq!(own.ca_bundle().map(|(_, path)| path), Some("/own"));
        assert_eq!(own.endpoint(Service::S3, None).unwrap().unwrap().url, "http://own.example");
        assert_eq!(own.switch("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"), Ok(true));
        let refused = own.plan().unwrap_err().to_string();
        assert!(refused.contains("from its profile only"), "{refused}");
    }

    #[tokio::test]
    async fn credentials_that_the_profile_does_not_name_are_not_looked_for() {
        let refused = settings("[profile own]\nregion = us-gov-west-1\n").await.plan().unwrap_err().to_string();
        assert!(refused.contains("profile `own` has no credentials"), "{refused}");
    }
}
