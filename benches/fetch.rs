//! Measures a whole read, from a distant server to digests: `verify` of one object of the lab with a fixed latency and
//! rate, by number of concurrent GETs and by algorithms. Server and client share the processors, so compare rows only
//! with each other.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use stored_ami::checksum::Algorithm;
use stored_ami::commands::verify::{VerifyOptions, verify};
use stored_ami::plan::{Concurrency, Limits};
use stored_ami::source::s3::{Connection, S3Options};
use stored_ami::source::{Context, Session};
use stored_ami::units::MIB;
use stored_ami_lab::{BucketOptions, ChecksumChoice, Lab, LabOptions, PartSizes, SyntheticSpec};
use tokio_util::sync::CancellationToken;

const SIZE: u64 = 256 * MIB;
const BUCKET: &str = "bench";
const KEY: &str = "ami-0123456789abcdef0.bin";

/// A lab with this latency and rate, and a connection to it.
async fn lab(latency: Duration, rate: Option<u64>) -> (Lab, Connection) {
    let started = Lab::start(LabOptions { latency, rate, ..LabOptions::default() }).await;
    let Ok(lab) = started else { panic!("a lab on a free port of this machine") };
    let made = lab.create_bucket(BUCKET, BucketOptions::default());
    assert!(made.is_ok(), "a bucket in an empty lab");
    let parts = PartSizes::Uniform(8 * MIB);
    let spec = SyntheticSpec { size: SIZE, parts, seed: 1, checksum: ChecksumChoice::None };
    assert!(lab.synthesize(BUCKET, KEY, spec).await.is_ok(), "an object made up on the way");
    let options = S3Options {
        endpoint_url: Some(lab.endpoint()),
        region: Some("us-east-1".to_owned()),
        no_sign_request: true,
        ..S3Options::default()
    };
    let Ok(connection) = Connection::open(options).await else { panic!("a connection needs no network") };
    (lab, connection)
}

async fn prove(connection: &Connection, connections: usize, digest: &[Algorithm]) {
    let limits = Limits { concurrency: Concurrency::Fixed(connections), ..Limits::default() };
    let Ok(budget) = limits.budget() else { panic!("few connections fit into the usual memory") };
    let Ok(uri) = format!("s3://{BUCKET}/{KEY}").parse() else { panic!("an address of S3") };
    let source = Arc::new(connection.object(uri));
    let context = Context::default();
    let request = VerifyOptions { digest: digest.to_vec(), budget, ..VerifyOptions::default() };
    let done = verify(&Session::new(source, context), &request, &CancellationToken::new()).await;
    assert!(
        done.is_ok_and(|verified| verified.report.verdict == stored_ami::verdict::Verdict::Pass),
        "the lab's object is whole"
    );
}

fn fetching(criterion: &mut Criterion) {
    let Ok(runtime) = tokio::runtime::Runtime::new() else { panic!("threads") };
    let mut group = criterion.benchmark_group("fetch");
    group.sample_size(10).throughput(Throughput::Bytes(SIZE));

    let (near, connection) = runtime.block_on(lab(Duration::ZERO, None));
    for (name, digest) in
        [("etag", &[][..]), ("etag+sha256", &[Algorithm::Sha256]), ("etag+crc32c", &[Algorithm::Crc32c])]
    {
        group.bench_function(BenchmarkId::new("near", name), |bencher| {
            bencher.iter(|| runtime.block_on(prove(black_box(&connection), 24, digest)));
        });
    }
    runtime.block_on(near.shutdown());

    // 20 ms latency and 500 MiB/s in total: concurrent GETs hide the latency.
    let (far, connection) = runtime.block_on(lab(Duration::from_millis(20), Some(500 * MIB)));
    for connections in [4, 16, 32] {
        group.bench_function(BenchmarkId::new("20ms_500MiB_s", connections), |bencher| {
            bencher.iter(|| runtime.block_on(prove(black_box(&connection), connections, &[])));
        });
    }
    runtime.block_on(far.shutdown());
    group.finish();
}

criterion_group!(benches, fetching);
criterion_main!(benches);
