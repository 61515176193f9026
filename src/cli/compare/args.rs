use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::args::OutputArgs;
use crate::cli::selection::Word;
use crate::ident::Target;
use crate::plan::Concurrency;
use crate::units::ByteSize;

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// First object or file; its connection is set by the options --from-…
    #[arg(value_name = "A", value_hint = ValueHint::AnyPath)]
    pub typed_a: Word,
    /// Second object or file; its connection is set by the options --to-…
    #[arg(value_name = "B", value_hint = ValueHint::AnyPath)]
    pub typed_b: Word,
    /// A and B, once they are read
    #[arg(skip)]
    pub targets: Option<(Target, Target)>,
    /// The Regions that the URLs of A and B state
    #[arg(skip)]
    pub regions: (Option<String>, Option<String>),
    /// Read every byte of both, and find the first difference
    ///
    /// Both are read at the same time, in pieces whose SHA-256 is compared. The first piece that differs is read again
    /// and compared byte by byte.
    #[arg(long)]
    pub read: bool,
    #[command(flatten)]
    pub from: FirstEndArgs,
    #[command(flatten)]
    pub to: SecondEndArgs,
    #[command(flatten)]
    pub limits: CompareLimitArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Connection of A (with its own profile, nothing comes from the environment)")]
pub struct FirstEndArgs {
    /// Profile for A; its keys, Region, endpoint and CA, and nothing of the environment
    #[arg(long = "from-profile", id = "from_profile", value_name = "NAME")]
    pub profile: Option<String>,
    /// Region of A
    #[arg(long = "from-region", id = "from_region", value_name = "REGION")]
    pub region: Option<String>,
    /// Endpoint of A
    #[arg(long = "from-endpoint-url", id = "from_endpoint_url", value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Read A with unsigned requests, if it is public
    #[arg(long = "from-no-sign-request", id = "from_no_sign_request", hide_short_help = true)]
    pub no_sign_request: bool,
    /// Accept the charges of a Requester Pays bucket for A
    #[arg(long = "from-request-payer", id = "from_request_payer", hide_short_help = true, value_name = "requester", num_args = 0..=1, default_missing_value = "requester", value_parser = ["requester"])]
    pub request_payer: Option<String>,
    /// Fail unless the bucket of A belongs to this account
    #[arg(
        long = "from-expected-bucket-owner",
        id = "from_expected_bucket_owner",
        hide_short_help = true,
        value_name = "ACCOUNT"
    )]
    pub expected_bucket_owner: Option<String>,
    /// File with the 32-byte key of A, if it is encrypted with SSE-C
    #[arg(long = "from-sse-c-key-file", id = "from_sse_c_key_file", hide_short_help = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub sse_c_key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Connection of B")]
pub struct SecondEndArgs {
    /// Profile for B; its keys, Region, endpoint and CA, and nothing of the environment
    #[arg(long = "to-profile", id = "to_profile", value_name = "NAME")]
    pub profile: Option<String>,
    /// Region of B
    #[arg(long = "to-region", id = "to_region", value_name = "REGION")]
    pub region: Option<String>,
    /// Endpoint of B
    #[arg(long = "to-endpoint-url", id = "to_endpoint_url", value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Read B with unsigned requests, if it is public
    #[arg(long = "to-no-sign-request", id = "to_no_sign_request", hide_short_help = true)]
    pub no_sign_request: bool,
    /// Accept the charges of a Requester Pays bucket for B
    #[arg(long = "to-request-payer", id = "to_request_payer", hide_short_help = true, value_name = "requester", num_args = 0..=1, default_missing_value = "requester", value_parser = ["requester"])]
    pub request_payer: Option<String>,
    /// Fail unless the bucket of B belongs to this account
    #[arg(
        long = "to-expected-bucket-owner",
        id = "to_expected_bucket_owner",
        hide_short_help = true,
        value_name = "ACCOUNT"
    )]
    pub expected_bucket_owner: Option<String>,
    /// File with the 32-byte key of B, if it is encrypted with SSE-C
    #[arg(long = "to-sse-c-key-file", id = "to_sse_c_key_file", hide_short_help = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub sse_c_key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub struct CompareLimitArgs {
    /// Number of parallel GETs of both together, or auto: begin with 32 for each and find what is best
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub concurrency: Option<Concurrency>,
    /// Memory limit of the whole process [default: 256MiB]
    #[arg(long, value_name = "SIZE", hide_short_help = true)]
    pub max_memory: Option<ByteSize>,
}
