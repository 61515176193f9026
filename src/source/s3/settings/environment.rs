use std::collections::BTreeMap;
use std::ffi::OsString;

use super::super::proxies::PROXIES;
use super::SettingError;

/// Variables that are read, besides the proxies and all names that start with `AWS_`.
const NAMES: [&str; 7] =
    ["HOME", "NO_PROXY", "SECRET_ACCESS_KEY", "SSL_CERT_DIR", "SSL_CERT_FILE", "XDG_STATE_HOME", "_X_AMZN_TRACE_ID"];

/// The environment variables that this program or the SDK reads to reach AWS.
#[derive(Debug, Clone, Default)]
pub(in crate::source::s3) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Reads the variables.
    ///
    /// # Errors
    ///
    /// A value is not UTF-8, which the SDK treats as unset, or contains control characters.
    pub(crate) fn read() -> Result<Self, SettingError> {
        Environment::of(std::env::vars_os())
    }

    /// The variables among these that are read.
    ///
    /// # Errors
    ///
    /// As for [`Environment::read`].
    pub(crate) fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, SettingError> {
        let mut found = BTreeMap::new();
        for (name, value) in variables {
            let Ok(name) = name.into_string() else { continue };
            if !is_read(&name) {
                continue;
            }
            let value = value
                .into_string()
                .map_err(|_| SettingError::new(format!("{name}: this environment variable is not UTF-8")).of(&name))?;
            if name.starts_with("AWS_") && value.trim().chars().any(char::is_control) {
                let text = format!("{name}: this environment variable holds a control character");
                return Err(SettingError::new(text).of(name));
            }
            found.insert(name, value);
        }
        Ok(Environment(found))
    }

    /// Only the variables for which `keep` holds.
    pub(crate) fn only(self, keep: impl Fn(&str) -> bool) -> Self {
        Environment(self.0.into_iter().filter(|(name, _)| keep(name)).collect())
    }

    /// The value without surrounding white space; `None` if nothing is left.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.as_given(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// The unchanged value.
    pub(crate) fn as_given(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Names and values of the proxy variables.
    pub(crate) fn proxies(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter(|(name, _)| is_proxy(name)).map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn is_read(name: &str) -> bool {
    name.starts_with("AWS_") || NAMES.contains(&name) || name == "no_proxy" || is_proxy(name)
}

pub(super) fn is_proxy(name: &str) -> bool {
    PROXIES.contains(&name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    fn of(pairs: &[(&str, &[u8])]) -> Result<Environment, SettingError> {
        Environment::of(pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from_vec(value.to_vec()))))
    }

    #[test]
    fn what_is_no_utf8_is_named() {
        for name in
            ["AWS_ENDPOINT_URL", "AWS_ANYTHING", "HTTPS_PROXY", "https_proxy", "no_proxy", "HOME", "SSL_CERT_FILE"]
        {
            let problem = of(&[(name, b"http://\xff")]).unwrap_err().to_string();
            assert!(problem.starts_with(&format!("{name}: ")) && problem.contains("not UTF-8"), "{problem}");
        }
        assert!(of(&[("EDITOR", b"\xff")]).is_ok(), "variables that nothing reads do not matter");
    }

    #[test]
    fn white_space_around_a_value_does_not_count() {
        let env = of(&[("AWS_REGION", b" eu-west-1\r\n"), ("AWS_PROFILE", b" \t ")]).unwrap();
        assert_eq!(env.get("AWS_REGION"), Some("eu-west-1"));
        assert_eq!(env.get("AWS_PROFILE"), None);
        assert!(of(&[("AWS_REGION", b"eu\nwest")]).unwrap_err().to_string().contains("AWS_REGION"));
    }
}
