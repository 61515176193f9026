use std::fmt;
use std::path::{Path, PathBuf};

use aws_config::profile::Profile;

use super::super::role::RoleToAssume;
use super::{SettingError, Settings, values};
use crate::checksum::{Algorithm, Hasher};

/// Static keys, as written in the environment or a profile.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::source::s3) struct Keys {
    /// Access key id.
    pub id: String,
    /// Secret access key.
    pub secret: String,
    /// Session token.
    pub token: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// A role that a profile assumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source::s3) struct Role {
    /// ARN of the role.
    pub arn: String,
    /// External id that the role requires.
    pub external_id: Option<String>,
    /// Session name.
    pub session: Option<String>,
    /// Duration of the session in seconds.
    pub seconds: Option<u64>,
}

/// Where credentials come from: keys in the environment or a profile, a process, a web identity token for STS, IAM
/// Identity Center (SSO), the metadata of a container or an instance, or a role that is assumed with other credentials.
/// Decided before the first request, so that no source is tried in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source::s3) enum Plan {
    /// `AWS_ACCESS_KEY_ID` and its companion variables.
    Environment(Keys),
    Profile {
        profile: String,
        keys: Keys,
    },
    Process {
        profile: String,
        command: String,
    },
    WebIdentity {
        role: String,
        token_file: String,
        session: Option<String>,
    },
    Sso {
        profile: String,
        account: String,
        role: String,
        url: String,
        region: String,
        session: Option<String>,
        /// Where other AWS tools store the token; `None` without a home directory.
        cache: Option<PathBuf>,
    },
    Container {
        token_file: Option<String>,
    },
    Instance,
    Role {
        role: Role,
        from: Box<Plan>,
    },
}

/// Names the file with the token for container credentials.
pub(super) const CONTAINER_TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// Limit of profiles that name each other as sources.
pub(super) const LONGEST_CHAIN: usize = 16;

impl Plan {
    /// A role that is assumed with the credentials of this plan.
    pub(crate) fn assuming(self, RoleToAssume { arn, external_id }: &RoleToAssume) -> Self {
        let role = Role { arn: arn.clone(), external_id: external_id.clone(), session: None, seconds: None };
        Plan::Role { role, from: Box::new(self) }
    }
}

impl Settings {
    /// Chooses the source, with the rules of the AWS CLI: a profile that a flag names takes precedence over the keys
    /// and the web identity of the environment.
    ///
    /// # Errors
    ///
    /// A setting is incomplete, contradictory or not supported.
    pub(crate) fn plan(&self) -> Result<Plan, SettingError> {
        if !self.explicit
            && let Some(keys) = self.environment_keys()?
        {
            return Ok(Plan::Environment(keys));
        }
        let of_profile = |error: SettingError| error.of(format!("profile `{}`", self.profile_name()));
        if let Some(plan) = self.of_profile(self.profile_name(), &mut Vec::new()).map_err(of_profile)? {
            return Ok(plan);
        }
        if !self.explicit
            && let (Some(role), Some(file)) =
                (self.env().get("AWS_ROLE_ARN"), self.env().get("AWS_WEB_IDENTITY_TOKEN_FILE"))
        {
            let session = self.env().get("AWS_ROLE_SESSION_NAME").map(str::to_owned);
            return Ok(Plan::WebIdentity { role: role.to_owned(), token_file: file.to_owned(), session });
        }
        self.may_use_machine()?;
        let container = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
        let in_container = container.iter().any(|name| self.env().get(name).is_some());
        Ok(if in_container { self.container() } else { Plan::Instance })
    }

    fn environment_keys(&self) -> Result<Option<Keys>, SettingError> {
        let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
        let given = |name: &str| self.env().get(name).and_then(|_| self.env().as_given(name)).map(str::to_owned);
        match (given(id), given(secret).or_else(|| given("SECRET_ACCESS_KEY"))) {
            (None, None) => Ok(None),
            (Some(id), Some(secret)) => Ok(Some(Keys { id, secret, token: given("AWS_SESSION_TOKEN") })),
            (Some(_), None) => Err(SettingError::new(format!("{id} is set and {secret} is not")).of(id)),
            (None, Some(_)) => Err(SettingError::new(format!("{secret} is set and {id} is not")).of(secret)),
        }
    }

    /// The source that a profile names; `None` if it has nothing about credentials. `seen` lists the profiles that led
    /// to it.
    fn of_profile(&self, name: &str, seen: &mut Vec<String>) -> Result<Option<Plan>, SettingError> {
        let Some(profile) = self.profiles.get_profile(name) else {
            return match seen.last() {
                None => Ok(None),
                Some(by) => Err(SettingError::new(format!(
                    "profile `{by}` names source_profile `{name}`, which is not there; {}",
                    values::names(&self.profiles)
                ))),
            };
        };
        if seen.iter().any(|before| before == name) || seen.len() >= LONGEST_CHAIN {
            return Err(SettingError::new(format!(
                "profile `{name}` is its own source: {} → {name}",
                seen.join(" → ")
            )));
        }
        let is_source = !seen.is_empty();
        seen.push(name.to_owned());
        if is_source && let Some(keys) = keys(profile)? {
            return Ok(Some(Plan::Profile { profile: name.to_owned(), keys }));
        }
        let Some(arn) = value(profile, "role_arn").filter(|_| value(profile, "web_identity_token_file").is_none())
        else {
            return self.base(profile);
        };
        if value(profile, "mfa_serial").is_some() {
            return Err(SettingError::new(format!(
                "profile `{name}` assumes a role with a code of an MFA device (mfa_serial), which is not supported \
                 here; {}",
                exported(name)
            )));
        }
        let from = match (value(profile, "source_profile"), value(profile, "credential_source")) {
            (Some(source), None) if source != name => self.of_profile(source, seen)?,
            (Some(_), None) | (None, Some(_)) => self.base(profile)?,
            (Some(_), Some(_)) => {
                return Err(SettingError::new(format!(
                    "profile `{name}` has both source_profile and credential_source"
                )));
            }
            (None, None) => {
                return Err(SettingError::new(format!(
                    "profile `{name}` has a role_arn and neither source_profile nor credential_source"
                )));
            }
        };
        let from = from.ok_or_else(|| format!("the source of profile `{name}` has no credentials"))?;
        Ok(Some(Plan::Role { role: role(profile, arn)?, from: Box::new(from) }))
    }

    /// The source that a profile names, apart from a role to assume.
    fn base(&self, profile: &Profile) -> Result<Option<Plan>, SettingError> {
        let name = profile.name().to_owned();
        let text = |key| value(profile, key).map(str::to_owned);
        if let Some(source) = value(profile, "credential_source") {
            return self.named_source(&name, source).map(Some);
        }
        if let (Some(role), Some(token_file)) = (text("role_arn"), text("web_identity_token_file")) {
            return Ok(Some(Plan::WebIdentity { role, token_file, session: text("role_session_name") }));
        }
        if let Some(plan) = self.sso(profile)? {
            return Ok(Some(plan));
        }
        if value(profile, "login_session").is_some() {
            return Err(SettingError::new(format!(
                "profile `{name}` signs in by `aws login`, which is not supported here; {}",
                exported(&name)
            )));
        }
        if let Some(command) = text("credential_process") {
            return Ok(Some(Plan::Process { profile: name, command }));
        }
        Ok(keys(profile)?.map(|keys| Plan::Profile { profile: name, keys }))
    }

    fn container(&self) -> Plan {
        Plan::Container { token_file: self.env().as_given(CONTAINER_TOKEN).map(str::to_owned) }
    }

    fn named_source(&self, profile: &str, source: &str) -> Result<Plan, SettingError> {
        match source.to_ascii_lowercase().as_str() {
            "environment" if self.is_of_profile_only() => Err(SettingError::new(format!(
                "profile `{profile}` has credential_source = Environment, and this connection takes its credentials \
                 from its profile only"
            ))),
            "environment" => self.environment_keys()?.map(Plan::Environment).ok_or_else(|| {
                SettingError::new(format!(
                    "profile `{profile}` has credential_source = Environment, and AWS_ACCESS_KEY_ID is not set"
                ))
            }),
            "ecscontainer" => Ok(self.container()),
            "ec2instancemetadata" => Ok(Plan::Instance),
            _ => Err(SettingError::new(format!(
                "credential_source of profile `{profile}` must be Environment, EcsContainer or Ec2InstanceMetadata"
            ))),
        }
    }

    fn sso(&self, profile: &Profile) -> Result<Option<Plan>, SettingError> {
        let name = profile.name();
        let (account, role) = (value(profile, "sso_account_id"), value(profile, "sso_role_name"));
        let session = value(profile, "sso_session");
        let own = (value(profile, "sso_start_url"), value(profile, "sso_region"));
        if account.is_none() && role.is_none() && session.is_none() && own == (None, None) {
            return Ok(None);
        }
        let (url, region) = match session {
            None => own,
            Some(session) => {
                let section = self.profiles.sso_session(session).ok_or_else(|| {
                    format!("profile `{name}` names sso_session `{session}`, and there is no such section")
                })?;
                (section.get("sso_start_url"), section.get("sso_region"))
            }
        };
        let missing = |key: &str| format!("profile `{name}` signs in by SSO and has no {key}");
        let need = |found: Option<&str>, key| found.map(str::to_owned).ok_or_else(|| missing(key));
        // The SDK derives the name of the file from the session, otherwise from the URL.
        let named_by = session.or(url);
        let cache = self.env().as_given("HOME").zip(named_by).map(|(home, by)| {
            let digest = Hasher::digest(Algorithm::Sha1, by.as_bytes()).hex();
            Path::new(home).join(".aws/sso/cache").join(format!("{digest}.json"))
        });
        Ok(Some(Plan::Sso {
            profile: name.to_owned(),
            cache,
            account: need(account, "sso_account_id")?,
            role: need(role, "sso_role_name")?,
            url: need(url, "sso_start_url")?,
            region: need(region, "sso_region")?,
            session: session.map(str::to_owned),
        }))
    }
}

/// Advice for sources that the AWS CLI supports and this program does not.
fn exported(profile: &str) -> String {
    format!(
        "run `eval \"$(aws configure export-credentials --profile {profile} --format env)\"` and leave --profile and \
         AWS_PROFILE away"
    )
}

fn value<'a>(profile: &'a Profile, key: &str) -> Option<&'a str> {
    profile.get(key).map(str::trim).filter(|value| !value.is_empty())
}

fn keys(profile: &Profile) -> Result<Option<Keys>, SettingError> {
    let given = |key| value(profile, key).and_then(|_| profile.get(key)).map(str::to_owned);
    let (id, secret) = ("aws_access_key_id", "aws_secret_access_key");
    match (given(id), given(secret)) {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) => Ok(Some(Keys { id, secret, token: given("aws_session_token") })),
        (Some(_), None) => Err(SettingError::new(format!("profile `{}` has {id} and no {secret}", profile.name()))),
        (None, Some(_)) => Err(SettingError::new(format!("profile `{}` has {secret} and no {id}", profile.name()))),
    }
}

fn role(profile: &Profile, arn: &str) -> Result<Role, SettingError> {
    let seconds = match value(profile, "duration_seconds") {
        None => None,
        Some(text) => Some(text.parse().ok().filter(|seconds| (900..=43_200).contains(seconds)).ok_or_else(|| {
            format!("duration_seconds of profile `{}` must be a number from 900 to 43200", profile.name())
        })?),
    };
    let text = |key| value(profile, key).map(str::to_owned);
    Ok(Role { arn: arn.to_owned(), external_id: text("external_id"), session: text("role_session_name"), seconds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::s3::settings::Environment;
    use crate::source::s3::settings::files::Texts;

    const ENV: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "ENVKEY"), ("AWS_SECRET_ACCESS_KEY", "s")];
    const WEB: [(&str, &str); 2] = [("AWS_ROLE_ARN", "arn:web"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")];
    const CONTAINER: (&str, &str) = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/");
    const CONFIG: &str = "[profile keys]\naws_access_key_id = PROFILEKEY\naws_secret_access_key = s\n\
        [profile bare]\nregion = eu-west-1\n\
        [profile process]\ncredential_process = get it\n\
        [profile role]\nrole_arn = arn:role\nsource_profile = process\nduration_seconds = 900\n\
        [profile env-role]\nrole_arn = arn:role\ncredential_source = Environment\n\
        [profile self]\nrole_arn = arn:role\nsource_profile = self\naws_access_key_id = SELF\naws_secret_access_key = s\n\
        [profile a]\nrole_arn = arn:a\nsource_profile = b\n[profile b]\nrole_arn = arn:b\nsource_profile = a\n\
        [profile lost]\nrole_arn = arn:a\nsource_profile = nowhere\n\
        [profile mfa]\nrole_arn = arn:a\nsource_profile = keys\nmfa_serial = arn:mfa\n\
        [profile login]\nlogin_session = arn:aws:iam::1:user/x\n\
        [profile half]\naws_access_key_id = A\n\
        [profile sso]\nsso_session = dev\nsso_account_id = 1\nsso_role_name = r\n\
        [sso-session dev]\nsso_region = us-east-1\nsso_start_url = https://x\n\
        [profile bad-sso]\nsso_session = none\nsso_account_id = 1\nsso_role_name = r\n\
        [profile odd-source]\nrole_arn = arn:a\ncredential_source = Moon\n\
        [profile both]\nrole_arn = arn:a\nsource_profile = keys\ncredential_source = Environment\n\
        [profile long]\nrole_arn = arn:a\nsource_profile = keys\nduration_seconds = 99\n";

    async fn plan(env: &[(&str, &str)], flag: Option<&str>) -> Result<String, SettingError> {
        let env = Environment::of(env.iter().map(|(name, value)| (name.into(), value.into()))).unwrap();
        let texts = Texts { config: ("config".into(), CONFIG.into()), ..Texts::default() };
        let plan = Settings::of(env, &texts, flag).await?.plan()?;
        Ok(short(&plan))
    }

    fn short(plan: &Plan) -> String {
        match plan {
            Plan::Environment(keys) | Plan::Profile { keys, .. } => keys.id.clone(),
            Plan::Process { command, .. } => format!("process {command}"),
            Plan::WebIdentity { role, .. } => format!("web {role}"),
            Plan::Sso { url, .. } => format!("sso {url}"),
            Plan::Container { .. } => "container".into(),
            Plan::Instance => "instance".into(),
            Plan::Role { role, from } => format!("{} by {}", role.arn, short(from)),
        }
    }

    #[tokio::test]
    async fn where_credentials_come_from() {
        let all = [&ENV[..], &WEB, &[CONTAINER]].concat();
        let by_variable = [&ENV[..], &[("AWS_PROFILE", "keys")]].concat();
        let web_variable = [&WEB[..], &[CONTAINER, ("AWS_PROFILE", "keys")]].concat();
        let web_only = [&WEB[..], &[CONTAINER]].concat();
        for (env, flag, expected) in [
            (&all[..], None, "ENVKEY"),
            (&all, Some("keys"), "PROFILEKEY"),
            (&by_variable, None, "ENVKEY"),
            (&web_variable, None, "PROFILEKEY"),
            (&web_only, None, "web arn:web"),
            (&[CONTAINER], None, "container"),
            (&[], None, "instance"),
            (&all, Some("bare"), "container"),
            (&ENV, Some("bare"), "instance"),
            (&all, Some("process"), "process get it"),
            (&all, Some("role"), "arn:role by process get it"),
            (&all, Some("env-role"), "arn:role by ENVKEY"),
            (&all, Some("self"), "arn:role by SELF"),
            (&all, Some("sso"), "sso https://x"),
        ] {
            assert_eq!(plan(env, flag).await, Ok(expected.to_owned()), "{env:?} {flag:?}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_is_told_by_name() {
        for (profile, words) in [
            ("nobody", "there is no profile `nobody` in config; existing profiles: a, b, bad-sso"),
            ("env-role", "AWS_ACCESS_KEY_ID is not set"),
            ("a", "its own source"),
            ("lost", "source_profile `nowhere`"),
            ("mfa", "mfa_serial"),
            ("mfa", "aws configure export-credentials --profile mfa"),
            ("login", "aws configure export-credentials --profile login"),
            ("half", "aws_secret_access_key"),
            ("bad-sso", "sso_session `none`"),
            ("odd-source", "Ec2InstanceMetadata"),
            ("both", "both source_profile and credential_source"),
            ("long", "duration_seconds"),
        ] {
            let problem = plan(&[], Some(profile)).await.unwrap_err().to_string();
            assert!(problem.contains(words) && problem.contains(profile), "{profile}: {problem}");
            assert!(!problem.contains("feature"), "{problem}");
        }
        assert!(plan(&[("AWS_PROFILE", "nobody")], None).await.unwrap_err().to_string().contains("AWS_PROFILE"));
        assert_eq!(plan(&[("AWS_PROFILE", "default")], None).await, Ok("instance".into()));
        assert!(
            plan(&[("AWS_ACCESS_KEY_ID", "A")], None)
                .await
                .unwrap_err()
                .to_string()
                .contains("AWS_SECRET_ACCESS_KEY is not")
        );
        assert!(
            plan(&[("AWS_SECRET_ACCESS_KEY", "A")], None)
                .await
                .unwrap_err()
                .to_string()
                .contains("AWS_ACCESS_KEY_ID is not")
        );
    }
}
