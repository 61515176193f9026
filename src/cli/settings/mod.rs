//! What flags, the environment and the configuration file set together: flag, then environment, then file, then default.
//!
//! Environment and file may only say where to connect, how fast, how much memory to use and how to show. What is
//! checked, accepted, overwritten or confirmed must be visible in the command itself.

mod early;
mod given;
mod name;
mod sources;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub(super) use self::early::{colour_of_parser, log_file_of_parser};
use self::given::{Applied, GivenSettings};
use self::name::Setting;
use self::sources::Sources;
#[cfg(all(feature = "s3", feature = "lab"))]
pub(super) use self::sources::is_setting;
use super::args::ConnectionArgs;
use super::global::{Display, GlobalArgs};
use super::reach::typed_options;
use super::usage::UsageError;
use super::written::WrittenFiles;
use crate::clock::SystemClock;
use crate::plan::Concurrency;
use crate::progress::Monitor;
use crate::report::{EndOption, SettingReport};
use crate::source::{Context, RateLimiter, RetryPolicy};
use crate::units::ByteSize;

/// What a command uses besides its own arguments.
#[derive(Clone)]
pub(super) struct Settings {
    pub display: Display,
    pub retry: RetryPolicy,
    /// Time limit of one attempt, if one was chosen.
    #[cfg_attr(not(feature = "s3"), expect(dead_code, reason = "without S3 nothing is waited for"))]
    pub timeout: Option<Duration>,
    pub rate_limit: Option<RateLimit>,
    pub log_file: Option<PathBuf>,
    /// The configuration file that was read.
    pub configuration: Option<PathBuf>,
    /// What the environment and the file set.
    pub applied: Vec<SettingReport>,
    pub warnings: Vec<String>,
    /// What `policy` is called with for this command; for `copy`, at the source and at the destination.
    pub policy: &'static [&'static str],
    /// The flags of the connection, for commands that are printed.
    pub reach: Vec<EndOption>,
    /// The files that the command writes.
    pub written: WrittenFiles,
}

/// The limit of the rate of all reads.
#[derive(Clone)]
pub(super) struct RateLimit {
    pub limiter: Arc<RateLimiter>,
    /// The flag, the variable or the file that sets it.
    pub source: String,
}

/// The arguments of a command that the environment and the file may set.
#[derive(Default)]
pub(super) struct Adjustable<'a> {
    /// Whether the command sends requests, so that their limits apply.
    pub sends: bool,
    /// Present if the command has one connection, whose Region and endpoint may be set.
    pub connection: Option<&'a mut ConnectionArgs>,
    pub concurrency: Option<&'a mut Option<Concurrency>>,
    pub max_memory: Option<&'a mut Option<ByteSize>>,
}

impl Settings {
    /// Weighs flags, environment and configuration file, and fills in the arguments that no flag gave. Without
    /// `arguments`, environment and file are not read.
    ///
    /// # Errors
    ///
    /// Options contradict each other, or environment or file are wrong.
    pub(super) fn of(global: &GlobalArgs, arguments: Option<Adjustable<'_>>) -> Result<Self, UsageError> {
        let sources = match &arguments {
            Some(_) => Sources::read(std::env::vars_os())?,
            None => Sources::default(),
        };
        let mut applied = Applied::default();
        let arguments = arguments.unwrap_or_default();
        let reach = arguments.connection.as_deref().map(|args| typed_options!(args, unsigned: args.no_sign_request));
        let sends = arguments.sends;
        fill(arguments, &sources.given, &mut applied);
        let given = if sends { &sources.given } else { &GivenSettings::default() };
        let retries = applied.choose(global.retries, Setting::Retries, given.retries.as_ref());
        let timeout = applied.choose(global.timeout, Setting::Timeout, given.timeout.as_ref());
        let rate = applied.choose(global.max_rate, Setting::MaxRate, given.max_rate.as_ref());
        let flag = global.max_rate.map(|_| "--max-rate");
        let rate_source = flag.or(given.max_rate.as_ref().map(|given| given.source()));
        let rate_limit = rate.zip(rate_source).map(|(rate, source)| RateLimit {
            limiter: Arc::new(RateLimiter::new(rate.0, Arc::new(SystemClock))),
            source: source.to_owned(),
        });
        let given = &sources.given;
        let color = applied.choose(global.color, Setting::Color, given.color.as_ref());
        let progress = applied.choose(global.progress(), Setting::Progress, given.progress.as_ref());
        let log_file = applied.choose(global.log_file.clone(), Setting::LogFile, given.log_file.as_ref());
        let usual = RetryPolicy::default();
        Ok(Settings {
            display: global.display(color, progress)?,
            retry: RetryPolicy {
                attempts: retries.map_or(usual.attempts, |retries| retries + 1),
                stall: timeout.unwrap_or(usual.stall),
                ..usual
            },
            timeout,
            rate_limit,
            log_file,
            configuration: sources.file,
            applied: applied.0,
            warnings: sources.warnings,
            policy: &[],
            reach: reach.unwrap_or_default(),
            written: WrittenFiles::default(),
        })
    }

    /// A context whose requests these settings limit.
    pub(super) fn context(&self, monitor: Arc<dyn Monitor>) -> Context {
        let pace = self.rate_limit.as_ref().map(|limit| Arc::clone(&limit.limiter));
        Context { monitor, retry: self.retry, pace, ..Context::default() }
    }

    /// What environment and file set, in one line; `None` if they set nothing.
    pub(super) fn summary(&self) -> Option<String> {
        let one = |setting: &SettingReport| format!("{} {} ({})", setting.name, setting.value, setting.source);
        let all: Vec<String> = self.applied.iter().map(one).collect();
        (!all.is_empty()).then(|| format!("settings: {}", all.join(", ")))
    }
}

/// Fills in arguments.
fn fill(arguments: Adjustable<'_>, given: &GivenSettings, applied: &mut Applied) {
    if let Some(connection) = arguments.connection {
        applied.fill(&mut connection.region, Setting::Region, given.region.as_ref());
        applied.fill(&mut connection.endpoint_url, Setting::EndpointUrl, given.endpoint_url.as_ref());
    }
    if let Some(concurrency) = arguments.concurrency {
        applied.fill(concurrency, Setting::Concurrency, given.concurrency.as_ref());
    }
    if let Some(memory) = arguments.max_memory {
        applied.fill(memory, Setting::MaxMemory, given.max_memory.as_ref());
    }
}
