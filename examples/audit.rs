//! Proves every byte of all stored AMI objects under some prefixes, and remembers it in a ledger: what is proved and
//! unchanged is not read again.
//!
//! `cargo run --example audit -- ledger.db s3://backup/golden s3://backup-dr`

#![allow(clippy::print_stdout, reason = "an example")]

use std::path::Path;
use std::sync::Arc;

use stored_ami::audit::Level;
use stored_ami::ident::Prefix;
use stored_ami::ledger::{Ledger, SharedLedger};
use stored_ami::report::Report;
use stored_ami::source::s3::{Buckets, Connection, S3Options};
use stored_ami::{AuditRequest, AuditServices, CancellationToken, Context, Scope, audit};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let ledger = Ledger::open(Path::new(&args.next().ok_or("usage: audit LEDGER PREFIX…")?))?;
    let prefixes = args.map(|prefix| prefix.parse()).collect::<Result<Vec<Prefix>, _>>()?;

    let context = Context::default();
    let request = AuditRequest::new(Scope::Listed(prefixes), Level::Bytes);
    let home = Connection::open(S3Options::default()).await?;
    let buckets = Arc::new(Buckets::locate(home, &request.chosen.buckets(), &context).await);
    let services = AuditServices::new(buckets, context.counted());
    let emit = |report: Report| {
        if let Report::Audited(object) = report {
            println!("{:7} {}", object.verdict, object.target);
        }
    };
    let whole = audit(&services, &request, Some(SharedLedger::new(ledger)), &CancellationToken::new(), emit).await?;
    println!("{} objects examined, {} still good, {} requests", whole.examined, whole.still_good, whole.requests);
    Ok(())
}
