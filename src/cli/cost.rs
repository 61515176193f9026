use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::args::{ConnectionArgs, OutputArgs, VersionArgs};
use super::connect::SourceFactory;
use super::listed::selected;
use super::resolve::record;
use super::runner::{Runner, Stop};
use super::selection::{SelectionArgs, Word};
use super::settings::Settings;
use super::usage::{UsageError, load};
#[cfg(feature = "ec2")]
use crate::commands::cost::cost_of_image;
use crate::commands::cost::{CostRequest, cost_of_target};
use crate::files::{InputKind, open_input};
use crate::ident::{AmiId, Target};
use crate::plan::Budget;
use crate::price::{BulkPrices, PriceTable};
use crate::record::Record;
use crate::report::{Exit, Report};
use crate::units::ByteSize;

#[derive(Debug, Args)]
pub struct CostArgs {
    /// Stored objects, files, or ids of AMIs to store
    #[arg(required_unless_present = "targets_from", value_name = "TARGET|AMI-ID", value_hint = ValueHint::AnyPath)]
    pub typed: Vec<Word>,
    #[arg(skip)]
    pub targets: Vec<Costed>,
    #[command(flatten)]
    pub version: VersionArgs,
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// AWS price file of the Region: index.json of AmazonS3 or AmazonEC2
    ///
    /// May be given twice, once for each service. The built-in prices (of us-east-1) are not used then.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub prices: Vec<PathBuf>,
    /// Record written by `store --record`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    /// Size of all volumes before compression, if it is not known from elsewhere
    #[arg(long, value_name = "SIZE")]
    pub logical_size: Option<ByteSize>,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// What to price. A file named like an AMI must be given with its directory: `./ami-…`.
#[derive(Debug, Clone)]
pub enum Costed {
    /// An AMI.
    Image(AmiId),
    /// An object or a file.
    Target(Target),
}

pub(super) async fn run(mut args: CostArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let mut runner = Runner::new(&args.output, settings);
    let sources = SourceFactory::new((&args.connection, settings), args.targets.iter().filter_map(target)).await?;
    args.targets.extend(selected(&args.selection, &sources, &mut runner).await?.into_iter().map(Costed::Target));
    if args.logical_size.is_some() && args.targets.len() > 1 {
        return Err(UsageError("--logical-size gives the size of one AMI: name one target".to_owned()));
    }
    let request = Requests::read(&args).await?;
    let images = args.targets.iter().any(|target| matches!(target, Costed::Image(_)));
    if cfg!(not(feature = "ec2")) && images {
        return Err(UsageError("this build has no EC2; build it with the feature `ec2`".to_owned()));
    }
    for target in &args.targets {
        match target {
            Costed::Target(target) => {
                let region = match target {
                    Target::Object(uri) => sources.region_of(uri),
                    _ => None,
                };
                let request = request.in_region(region)?;
                let session = runner.session(sources.open(target).await?);
                let work = async { cost_of_target(&session, &request).await.map(|cost| Report::Cost(Box::new(cost))) };
                runner.report(&target.to_string(), Stop::AtOnce, work).await;
            }
            #[cfg(feature = "ec2")]
            Costed::Image(image) => {
                let services = super::images::services(&args.connection, &mut runner).await?;
                let request = request.in_region(Some(services.images.region()))?;
                let work =
                    async { cost_of_image(&services, image, &request).await.map(|cost| Report::Cost(Box::new(cost))) };
                runner.report(image.as_str(), Stop::AtOnce, work).await;
            }
            #[cfg(not(feature = "ec2"))]
            Costed::Image(_) => {}
        }
        if runner.is_stopped() {
            break;
        }
    }
    Ok(runner.finish())
}

/// The common parts of all requests, except for the Region.
struct Requests<'a> {
    args: &'a CostArgs,
    prices: Vec<BulkPrices>,
    record: Option<(String, Record)>,
    budget: Budget,
}

impl<'a> Requests<'a> {
    /// Reads the files before any request is sent, so that an invalid file is reported without network access.
    async fn read(args: &'a CostArgs) -> Result<Self, UsageError> {
        let prices = price_files(&args.prices).await?;
        Ok(Requests { args, prices, record: record(args.record.as_deref())?, budget: Budget::default() })
    }

    fn in_region(&self, region: Option<&str>) -> Result<CostRequest, UsageError> {
        let region = self.args.connection.region.as_deref().or(region);
        Ok(CostRequest {
            table: price_table(&self.prices, region)?,
            region: region.map(str::to_owned),
            record: self.record.clone(),
            logical_size: self.args.logical_size.map(|size| size.0),
            budget: self.budget,
        })
    }
}

fn target(costed: &Costed) -> Option<&Target> {
    match costed {
        Costed::Target(target) => Some(target),
        Costed::Image(_) => None,
    }
}

/// Reads price files.
pub(super) async fn price_files(paths: &[PathBuf]) -> Result<Vec<BulkPrices>, UsageError> {
    let mut prices = Vec::new();
    for path in paths {
        let (name, path) = (path.display().to_string(), path.clone());
        prices.push(load(name, None, move || price_file(&path)).await?);
    }
    Ok(prices)
}

/// The prices of the files; the built-in ones if there is none.
pub(super) fn price_table(prices: &[BulkPrices], region: Option<&str>) -> Result<PriceTable, UsageError> {
    match prices {
        [] => Ok(PriceTable::built_in()),
        files => PriceTable::from_bulk(files, region).map_err(UsageError),
    }
}

fn price_file(path: &Path) -> Result<BulkPrices, UsageError> {
    let name = path.display().to_string();
    let file = open_input(path, InputKind::Prices).map_err(|error| UsageError(format!("{name}: {error}")))?;
    let prices = BulkPrices::read(&name, BufReader::with_capacity(1 << 20, file));
    prices.map_err(|error| UsageError(format!("{name}: {error}")))
}
