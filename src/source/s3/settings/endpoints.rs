use aws_runtime::env_config::property::PropertiesKey;

use super::{SettingError, Settings, values};
use crate::source::NamedEndpoint;

/// Variable with the endpoint of all services.
pub(super) const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// The services that commands send requests to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    S3,
    #[cfg(feature = "ec2")]
    Ec2,
    Sts,
    #[cfg(feature = "ec2")]
    Kms,
    #[cfg(feature = "ec2")]
    Ssm,
    #[cfg(feature = "ec2")]
    Quotas,
    #[cfg(feature = "ebs")]
    Ebs,
    #[cfg(feature = "batch")]
    S3Control,
}

impl Service {
    /// All services of this build.
    pub(in crate::source::s3) const ALL: &[Service] = &[
        Service::S3,
        Service::Sts,
        #[cfg(feature = "ec2")]
        Service::Ec2,
        #[cfg(feature = "ec2")]
        Service::Kms,
        #[cfg(feature = "ec2")]
        Service::Ssm,
        #[cfg(feature = "ec2")]
        Service::Quotas,
        #[cfg(feature = "ebs")]
        Service::Ebs,
        #[cfg(feature = "batch")]
        Service::S3Control,
    ];

    /// The service id in the AWS service model, from which the names of its variables and keys are derived.
    fn id(self) -> &'static str {
        match self {
            Service::S3 => "S3",
            #[cfg(feature = "ec2")]
            Service::Ec2 => "EC2",
            Service::Sts => "STS",
            #[cfg(feature = "ec2")]
            Service::Kms => "KMS",
            #[cfg(feature = "ec2")]
            Service::Ssm => "SSM",
            #[cfg(feature = "ec2")]
            Service::Quotas => "Service Quotas",
            #[cfg(feature = "ebs")]
            Service::Ebs => "EBS",
            #[cfg(feature = "batch")]
            Service::S3Control => "S3 Control",
        }
    }
}

impl Settings {
    /// The endpoint of a service (AWS SDKs and Tools Reference Guide, *Service-specific endpoints*): from the flag,
    /// then the environment, then the profile. Within the environment and the profile, the setting for the service
    /// takes precedence over the one for all services.
    ///
    /// # Errors
    ///
    /// The URL is no endpoint.
    pub(crate) fn endpoint(&self, service: Service, flag: Option<&str>) -> Result<Option<NamedEndpoint>, SettingError> {
        let (nearest, of_profile) = match flag {
            Some(url) => (Some((url, "--endpoint-url".to_owned())), self.endpoint_of_profile(service)),
            None if self.switch("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")? => {
                (None, None)
            }
            None => (self.endpoint_of_environment(service), self.endpoint_of_profile(service)),
        };
        let (url, setting, other) = match (nearest, of_profile) {
            (Some((url, setting)), other) => (url, setting, other),
            (None, Some((url, setting))) => (url, setting, None),
            (None, None) => return Ok(None),
        };
        let url = url.trim();
        check(url, &setting)?;
        let instead_of = other.filter(|(other, _)| other.trim() != url).map(|(_, setting)| setting);
        Ok(Some(NamedEndpoint { url: url.to_owned(), setting, instead_of }))
    }

    fn endpoint_of_environment(&self, service: Service) -> Option<(&str, String)> {
        let variable = format!("{ENDPOINT}_{}", service.id().to_uppercase().replace(' ', "_"));
        [variable.as_str(), ENDPOINT].into_iter().find_map(|name| Some((self.env.get(name)?, name.to_owned())))
    }

    fn endpoint_of_profile(&self, service: Service) -> Option<(&str, String)> {
        let key = |key: &str| format!("{key} of profile `{}`", self.profile_name());
        let of_service = self.of_services_section(service).map(|url| (url, key("services")));
        of_service.or_else(|| self.profile("endpoint_url").map(|url| (url, key("endpoint_url"))))
    }

    /// `endpoint_url` of a service in the `[services NAME]` section that the profile names.
    fn of_services_section(&self, service: Service) -> Option<&str> {
        let section = self.profile("services")?;
        // The guide replaces a space by an underscore, the SDK for Rust by a hyphen.
        ["_", "-"].into_iter().find_map(|joint| {
            let key = PropertiesKey::builder()
                .section_key("services")
                .section_name(section)
                .property_name(service.id().to_lowercase().replace(' ', joint))
                .sub_property_name("endpoint_url")
                .build()
                .ok()?;
            self.profiles.other_sections().get(&key).map(|url| url.trim()).filter(|url| !url.is_empty())
        })
    }

    /// Whether the bucket is part of the path of a URL and not of its host. The rule is that of the AWS CLI: with a
    /// custom endpoint unless the profile says `virtual`, otherwise only if the profile says `path`.
    ///
    /// # Errors
    ///
    /// The profile has another value.
    pub(crate) fn path_style(&self, own_endpoint: bool) -> Result<bool, SettingError> {
        let style = self.profiles.get("s3").and_then(|nested| values::nested(nested, "addressing_style"));
        match style.map(str::to_ascii_lowercase).as_deref() {
            None | Some("auto") => Ok(own_endpoint),
            Some("path") => Ok(true),
            Some("virtual") => Ok(false),
            Some(_) => {
                let setting = format!("s3.addressing_style of profile `{}`", self.profile_name());
                Err(SettingError::new(format!("{setting} must be `auto`, `path` or `virtual`")).of(setting))
            }
        }
    }
}

/// Checks a URL. With a wrong one, every request would fail as if the server were unreachable, and be retried. A
/// rejected URL is not shown if it may contain a password.
fn check(url: &str, setting: &str) -> Result<(), SettingError> {
    let uri: Option<http::Uri> = url.parse().ok();
    let is_endpoint = |uri: &http::Uri| matches!(uri.scheme_str(), Some("http" | "https")) && values::has_host(uri);
    let Some(uri) = uri.filter(is_endpoint) else {
        let subject = if values::may_hold_a_secret(url) { setting.to_owned() } else { format!("{setting}: `{url}`") };
        let text = format!("{subject} is no endpoint: write http://HOST:PORT or https://HOST");
        return Err(SettingError::new(text).of(setting));
    };
    let userinfo = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    if userinfo || uri.query().is_some() || url.contains('#') {
        let text = format!("{setting}: an endpoint has no user, password, query or fragment");
        return Err(SettingError::new(text).of(setting));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn settings(env: &[(&str, &str)], config: &str) -> Settings {
        Settings::test(env, config).await
    }

    const PROFILE: &str = "[default]\nendpoint_url = http://profile\nservices = mine\n\
        [services mine]\ns3 =\n  endpoint_url = http://profile-s3\nservice_quotas =\n  endpoint_url = http://quotas\n";

    #[tokio::test]
    async fn the_nearest_setting_decides() {
        let url = async |env: &[(&str, &str)], config: &str, service| {
            settings(env, config).await.endpoint(service, None).unwrap().map(|endpoint| endpoint.url)
        };
        let all = ("AWS_ENDPOINT_URL", "http://all");
        let s3 = ("AWS_ENDPOINT_URL_S3", "http://s3");
        let is = |url: &str| Some(url.to_owned());
        assert_eq!(url(&[all, s3], PROFILE, Service::S3).await, is("http://s3"));
        assert_eq!(url(&[all, s3], PROFILE, Service::Sts).await, is("http://all"));
        assert_eq!(url(&[s3], PROFILE, Service::Sts).await, is("http://profile"));
        assert_eq!(url(&[], PROFILE, Service::S3).await, is("http://profile-s3"));
        assert_eq!(url(&[], PROFILE, Service::Sts).await, is("http://profile"));
        #[cfg(feature = "ec2")]
        {
            let quotas = ("AWS_ENDPOINT_URL_SERVICE_QUOTAS", "http://q");
            assert_eq!(url(&[all, quotas], "", Service::Quotas).await, is("http://q"));
            assert_eq!(url(&[], PROFILE, Service::Quotas).await, is("http://quotas"));
            for (service, variable) in [(Service::Ec2, "EC2"), (Service::Kms, "KMS"), (Service::Ssm, "SSM")] {
                let variable = format!("AWS_ENDPOINT_URL_{variable}");
                assert_eq!(url(&[all, (&variable, "http://it")], "", service).await, is("http://it"));
            }
        }
        assert_eq!(url(&[], "", Service::S3).await, None);
        assert_eq!(
            url(&[("AWS_ENDPOINT_URL_S3", " "), all], "", Service::S3).await,
            is("http://all"),
            "empty is unset"
        );
        let ignore = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
        assert_eq!(url(&[ignore, all, s3], PROFILE, Service::S3).await, None);
        let ignoring = format!("{PROFILE}[profile other]\n")
            .replace("services = ", "ignore_configured_endpoint_urls = true\nservices = ");
        assert_eq!(url(&[all], &ignoring, Service::S3).await, None);
        let flag = settings(&[ignore, all, s3], PROFILE).await.endpoint(Service::S3, Some("http://flag")).unwrap();
        let expected = |url: &str, setting: &str, instead_of: Option<&str>| NamedEndpoint {
            url: url.into(),
            setting: setting.into(),
            instead_of: instead_of.map(str::to_owned),
        };
        let of_profile = "services of profile `default`";
        assert_eq!(flag.unwrap(), expected("http://flag", "--endpoint-url", Some(of_profile)));
        let named =
            async |env: &[(&str, &str)]| settings(env, PROFILE).await.endpoint(Service::S3, None).unwrap().unwrap();
        assert_eq!(named(&[all]).await, expected("http://all", "AWS_ENDPOINT_URL", Some(of_profile)));
        assert_eq!(named(&[all, s3]).await, expected("http://s3", "AWS_ENDPOINT_URL_S3", Some(of_profile)));
        let same = ("AWS_ENDPOINT_URL", "http://profile-s3");
        assert_eq!(named(&[same]).await, expected("http://profile-s3", "AWS_ENDPOINT_URL", None));
        assert_eq!(named(&[]).await, expected("http://profile-s3", of_profile, None));
    }

    #[test]
    fn an_endpoint_has_a_scheme_and_a_host() {
        for url in ["http://localhost:9000", "https://s3.example", "HTTP://[::1]:80/", "http://127.0.0.1/base"] {
            assert_eq!(check(url, "X"), Ok(()), "{url}");
        }
        for url in ["", "localhost:9000", "localhost", "//host", "ftp://host", "http://", "s3://bucket"] {
            let problem = check(url, "X").unwrap_err().to_string();
            assert!(problem.contains("is no endpoint") && problem.contains(url), "{problem}");
        }
    }

    #[test]
    fn a_password_in_an_endpoint_is_not_shown() {
        let bad = [
            "http://user:hunter2@host",
            "https://user:hunter2@host:9000/x",
            "user:hunter2@host",
            "http:/user:hunter2@host",
            "http//user:hunter2@host",
            "http://user:hunter2@",
            "http://us er:hunter2@host",
            "http://host?password=hunter2",
            "http://host:hunter2",
            "socks5://u:hunter2@h",
            "http://host/#hunter2",
            "http:user:hunter2",
            "user:hunter2",
        ];
        for url in bad {
            let problem = check(url, "AWS_ENDPOINT_URL").unwrap_err().to_string();
            assert!(problem.starts_with("AWS_ENDPOINT_URL") && !problem.contains("hunter2"), "{url}: {problem}");
        }
    }

    #[tokio::test]
    async fn addressing_styles() {
        let of =
            |style: &str| format!("[default]\ns3 =\n  max_concurrent_requests = 9\n  addressing_style = {style}\n");
        for (style, own, path) in [
            ("path", false, true),
            ("path", true, true),
            ("virtual", true, false),
            ("virtual", false, false),
            ("auto", true, true),
            ("auto", false, false),
            ("Virtual", true, false),
        ] {
            assert_eq!(settings(&[], &of(style)).await.path_style(own), Ok(path), "{style} {own}");
        }
        assert_eq!(settings(&[], "").await.path_style(true), Ok(true));
        assert!(
            settings(&[], &of("sideways")).await.path_style(true).unwrap_err().to_string().contains("addressing_style")
        );
    }
}
