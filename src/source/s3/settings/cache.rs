use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, Result, SharedCredentialsProvider, future};
use tokio::sync::Mutex;

/// Credentials that expire sooner are renewed; the SDK's own cache uses the same value.
const BEFORE_EXPIRY: Duration = Duration::from_secs(10);
/// Minimum time between renewals, for providers that return expired credentials.
const AT_LEAST: Duration = Duration::from_secs(30);

/// One set of credentials for all clients of a command, so that a process runs, or a role is assumed, once.
#[derive(Debug)]
pub(in crate::source::s3) struct Cached {
    inner: SharedCredentialsProvider,
    held: Mutex<Option<(Credentials, Instant)>>,
}

impl Cached {
    /// Caches the credentials of `inner`.
    pub(crate) fn new(inner: SharedCredentialsProvider) -> Self {
        Cached { inner, held: Mutex::new(None) }
    }

    async fn credentials(&self) -> Result {
        // Held while asking, so that concurrent callers get the same credentials.
        let mut held = self.held.lock().await;
        if let Some((credentials, since)) = held.as_ref() {
            let soon = SystemTime::now() + BEFORE_EXPIRY;
            let lasts = credentials.expiry().is_none_or(|expiry| expiry > soon);
            if lasts || since.elapsed() < AT_LEAST {
                return Ok(credentials.clone());
            }
        }
        let credentials = self.inner.provide_credentials().await?;
        *held = Some((credentials.clone(), Instant::now()));
        Ok(credentials)
    }
}

impl ProvideCredentials for Cached {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Debug, Clone, Default)]
    struct Counted(Arc<AtomicUsize>, Option<SystemTime>);

    impl ProvideCredentials for Counted {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            self.0.fetch_add(1, Ordering::Relaxed);
            future::ProvideCredentials::ready(Ok(Credentials::new("A", "S", None, self.1, "test")))
        }
    }

    #[tokio::test]
    async fn the_source_is_asked_once() {
        for expiry in [None, Some(SystemTime::now() + Duration::from_secs(3600)), Some(SystemTime::UNIX_EPOCH)] {
            let source = Counted(Arc::default(), expiry);
            let cached = Arc::new(Cached::new(SharedCredentialsProvider::new(source.clone())));
            for _ in 0..5 {
                let (one, two) = tokio::join!(cached.provide_credentials(), cached.provide_credentials());
                assert!(one.is_ok() && two.is_ok());
            }
            assert_eq!(source.0.load(Ordering::Relaxed), 1, "{expiry:?}");
        }
    }
}
