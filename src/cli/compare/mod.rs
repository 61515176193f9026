//! `compare`.

pub(super) mod args;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use self::args::{CompareArgs, FirstEndArgs, SecondEndArgs};
use super::args::MEMORY;
use super::connect::{connect, end_options};
use super::ends::check_is_no_file;
use super::reach::{past_environment, typed_options};
use super::runner::{Failure, Runner, Stop};
use super::settings::Settings;
use super::signals::cancel_on_signal;
use super::usage::UsageError;
use crate::commands::compare::{CompareError, CompareRequest, ComparedEnd, compare};
use crate::ident::Target;
use crate::plan::Limits;
use crate::report::{CompareReport, EndOption, Exit, Report};
use crate::source::file::FileSource;
use crate::source::s3::S3Options;
use crate::source::{Context, Session};

/// How long the requests before and after the read may take after a signal; the read stops by itself.
const GRACE: Duration = Duration::from_secs(5);

pub(super) async fn run(args: CompareArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let missing = || UsageError("name two objects".to_owned());
    let (target_a, target_b) = args.targets.clone().ok_or_else(missing)?;
    check_is_no_file!(&args.from, "--from-", unsigned: args.from.no_sign_request, &target_a)?;
    check_is_no_file!(&args.to, "--to-", unsigned: args.to.no_sign_request, &target_b)?;
    let request = CompareRequest { read: args.read, budget: budget(&args)? };
    let of_a = Options::of_a(&args.from, args.regions.0.clone(), settings)?;
    let of_b = Options::of_b(&args.to, args.regions.1.clone(), settings)?;
    let mut runner = Runner::new(&args.output, settings);
    let context = runner.context();
    let a = Opened::open(&target_a, of_a, &context).await?;
    let b = Opened::open(&target_b, of_b, &context).await?;
    if is_one(&target_a, &target_b) && a.place == b.place {
        return Err(UsageError(format!("{target_a}: A and B are the same object; `stored-ami verify` reads one")));
    }
    let cancel = cancel_on_signal();
    let work = async { Ok::<_, Failure>(compare(&a.session, &b.session, &request, &cancel).await) };
    let both = format!("{target_a} and {target_b}");
    match runner.run(&both, Stop::Within(GRACE), work).await {
        None => {}
        Some(Ok(report)) => runner.add(Report::Compare(Box::new(placed(report, &a, &b)))),
        Some(Err(CompareError::Source { end, error })) => {
            let target = if end == ComparedEnd::A { &target_a } else { &target_b };
            runner.fail(&target.to_string(), error);
        }
        Some(Err(CompareError::Memory(error))) => return Err(UsageError(error.to_string())),
    }
    Ok(runner.finish())
}

fn budget(args: &CompareArgs) -> Result<crate::plan::Budget, UsageError> {
    let limits = Limits {
        concurrency: args.limits.concurrency.unwrap_or_default(),
        range_bytes: None,
        max_memory: args.limits.max_memory.unwrap_or(MEMORY).0,
    };
    limits.shared_among(2).budget().map_err(|error| UsageError(format!("{error}, for each of the two objects")))
}

/// Whether both name the same object, if they are reached in the same way.
fn is_one(a: &Target, b: &Target) -> bool {
    match (a, b) {
        (Target::File(a), Target::File(b)) => {
            let place = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
            place(a) == place(b)
        }
        _ => a == b,
    }
}

/// The settings of one end, and what it is called.
struct Options {
    name: &'static str,
    s3: S3Options,
    typed: Vec<EndOption>,
}

impl Options {
    /// `region` is that of the URL.
    fn of_a(args: &FirstEndArgs, region: Option<String>, settings: &Settings) -> Result<Self, UsageError> {
        let unsigned = args.no_sign_request;
        let s3 = end_options!(args, "--from-expected-bucket-owner", unsigned: unsigned, patience: settings.timeout);
        Ok(Options {
            name: "A",
            typed: typed_options!(args, unsigned: unsigned),
            s3: S3Options { region: s3.region.or(region), ..s3 },
        })
    }

    /// `region` is that of the URL.
    fn of_b(args: &SecondEndArgs, region: Option<String>, settings: &Settings) -> Result<Self, UsageError> {
        let unsigned = args.no_sign_request;
        let s3 = end_options!(args, "--to-expected-bucket-owner", unsigned: unsigned, patience: settings.timeout);
        Ok(Options {
            name: "B",
            typed: typed_options!(args, unsigned: unsigned),
            s3: S3Options { region: s3.region.or(region), ..s3 },
        })
    }
}

/// How an end is reached.
#[derive(Debug, Default, PartialEq, Eq)]
struct Place {
    profile: Option<String>,
    region: Option<String>,
    endpoint_url: Option<String>,
}

struct Opened {
    session: Session,
    place: Place,
    options: Vec<EndOption>,
}

impl Opened {
    async fn open(target: &Target, options: Options, context: &Context) -> Result<Self, UsageError> {
        let name = options.name;
        let uri = match target {
            Target::File(path) => {
                let session = Session::new(Arc::new(FileSource::new(path)), context.clone());
                return Ok(Opened { session, place: Place::default(), options: Vec::new() });
            }
            Target::Object(uri) => uri,
            Target::Presigned(_) => {
                let problem = "compare cannot use presigned URLs; name the object as s3://bucket/key";
                return Err(UsageError(format!("{name}: {problem}")));
            }
        };
        let profile = options.s3.profile.clone();
        let connection = connect(options.s3).await.map_err(|error| UsageError(format!("{name}: {}", error.0)))?;
        let place =
            Place { profile, region: Some(connection.region().to_owned()), endpoint_url: connection.endpoint_url() };
        let session = Session::new(Arc::new(connection.object(uri.clone())), context.clone());
        Ok(Opened { session, place, options: past_environment(options.typed, &connection) })
    }
}

/// The report with how both ends were reached.
fn placed(mut report: CompareReport, a: &Opened, b: &Opened) -> CompareReport {
    for (of, opened) in [(&mut report.a, a), (&mut report.b, b)] {
        of.profile.clone_from(&opened.place.profile);
        of.region.clone_from(&opened.place.region);
        of.options.clone_from(&opened.options);
    }
    report
}
