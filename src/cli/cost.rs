use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, ValueHint};

use super::args::{ConnectionArgs, OutputArgs, VersionArgs};
use super::resolve::{SourceFactory, UsageError, load, record, usual_budget};
use super::run::{Results, cancel_on_signal, session, until};
use crate::commands::cost::{CostRequest, cost_of_target};
use crate::files::{InputKind, open_input};
use crate::ident::{AmiId, Target, TypedTarget};
use crate::price::{BulkPrices, PriceTable};
use crate::report::{Exit, Report};
use crate::units::ByteSize;

#[derive(Debug, Args)]
pub struct CostArgs {
    /// An object, a file, or the id of an AMI that might be stored
    #[arg(required = true, value_name = "TARGET|AMI-ID", value_hint = ValueHint::AnyPath)]
    pub typed: Vec<TypedCosted>,
    #[arg(skip)]
    pub targets: Vec<Costed>,
    #[command(flatten)]
    pub version: VersionArgs,
    /// A price file of AWS: index.json of AmazonS3 or of AmazonEC2, of the Region. Both may be given; then no built-in
    /// price counts
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub prices: Vec<PathBuf>,
    /// The record that `store --record` wrote
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    /// Size of all volumes before compression, where nothing else tells it
    #[arg(long, value_name = "SIZE")]
    pub logical_size: Option<ByteSize>,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// What is priced. A file that is named like an AMI is written with its folder: `./ami-…`.
#[derive(Debug, Clone)]
pub enum Costed {
    Image(AmiId),
    Target(Target),
}

/// The same as it was typed.
#[derive(Debug, Clone)]
pub enum TypedCosted {
    Image(AmiId),
    Target(TypedTarget),
}

impl FromStr for TypedCosted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(image) => Ok(TypedCosted::Image(image)),
            Err(_) => {
                text.parse().map(TypedCosted::Target).map_err(|error: crate::ident::ParseTargetError| error.to_string())
            }
        }
    }
}

impl CostArgs {
    /// Reads what was typed as targets in the light of --version-id.
    pub(super) fn read_targets(&mut self) -> Result<(), String> {
        let read = |typed: &TypedCosted| match typed {
            TypedCosted::Image(image) => Ok(Costed::Image(image.clone())),
            TypedCosted::Target(typed) => self.version.read(typed).map(Costed::Target),
        };
        self.targets = self.typed.iter().map(read).collect::<Result<_, _>>()?;
        Ok(())
    }
}

pub(super) async fn run(args: CostArgs) -> Result<Exit, UsageError> {
    if args.logical_size.is_some() && args.targets.len() > 1 {
        return Err(UsageError("--logical-size: one size can be that of one target only".to_owned()));
    }
    // Before anything is asked: a file that is wrong needs no network to be found.
    let mut files = Vec::new();
    for path in &args.prices {
        let (name, path) = (path.display().to_string(), path.clone());
        files.push(load(name, None, move || price_file(&path)).await?);
    }
    let record = record(args.record.as_deref())?;
    let images = args.targets.iter().any(|target| matches!(target, Costed::Image(_)));
    if cfg!(not(feature = "ec2")) && images {
        return Err(UsageError("this build has no EC2; build it with the feature `ec2`".to_owned()));
    }
    let opener = SourceFactory::new(&args.connection, args.targets.iter().filter_map(target)).await?;
    let budget = usual_budget()?;
    let wish = |region: Option<&str>| -> Result<CostRequest, UsageError> {
        let region = args.connection.region.as_deref().or(region);
        let table = if files.is_empty() {
            PriceTable::built_in()
        } else {
            PriceTable::from_bulk(&files, region).map_err(UsageError)?
        };
        let logical_size = args.logical_size.map(|size| size.0);
        Ok(CostRequest { table, region: region.map(str::to_owned), record: record.clone(), logical_size, budget })
    };
    let mut results = Results::new(args.output.json);
    let cancel = cancel_on_signal();
    for target in &args.targets {
        let target = match target {
            Costed::Target(target) => target,
            #[cfg(feature = "ec2")]
            Costed::Image(image) => {
                if !super::images::cost_of(image, &args.connection, &wish, &mut results, &cancel).await? {
                    break;
                }
                continue;
            }
            #[cfg(not(feature = "ec2"))]
            Costed::Image(_) => continue,
        };
        let region = if matches!(target, Target::Object(_)) { opener.region() } else { None };
        let wish = wish(region)?;
        let (session, counting, progress) = session(opener.open(target));
        let done = until(&cancel, cost_of_target(&session, &wish)).await;
        progress.clear();
        match done {
            None => {
                results.interrupted();
                break;
            }
            Some(Ok(mut report)) => {
                report.requests = counting.counts().requests;
                results.add(Report::Cost(Box::new(report)));
            }
            Some(Err(error)) => results.error(&target.to_string(), &error),
        }
    }
    Ok(results.finish())
}

fn target(costed: &Costed) -> Option<&Target> {
    match costed {
        Costed::Target(target) => Some(target),
        Costed::Image(_) => None,
    }
}

fn price_file(path: &Path) -> Result<BulkPrices, UsageError> {
    let name = path.display().to_string();
    let file = open_input(path, InputKind::Prices).map_err(|error| UsageError(format!("{name}: {error}")))?;
    let prices = BulkPrices::read(&name, BufReader::with_capacity(1 << 20, file));
    prices.map_err(|error| UsageError(format!("{name}: {error}")))
}
