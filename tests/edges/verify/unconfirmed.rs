//! A mismatch that the second read neither reproduces nor refutes: no matching value outweighs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use stored_ami::checksum::{Algorithm, ChecksumKind, Hasher, StoredChecksum};
use stored_ami::commands::verify::{Verified, VerifyOptions, verify};
use stored_ami::facts::Fact;
use stored_ami::fetch::Quota;
use stored_ami::ident::ETag;
use stored_ami::progress::{Call, Monitor, Silent};
use stored_ami::source::memory::{Action, Fault, MemoryObject, MemorySource};
use stored_ami::source::{Context, ErrorKind, RetryPolicy, Session};
use tokio_util::sync::CancellationToken;

use crate::common::data;

const TARGET: &str = "s3://archive/ami-1a2b3c4d.bin";
const SIZE: usize = 2_000;

/// What ends or changes the second read.
#[derive(Debug, Clone)]
enum Ends {
    Bytes,
    Time,
    Signal,
    Answer(ErrorKind),
    OtherBytes,
}

/// The source of the value that does not match.
#[derive(Debug, Clone, Copy)]
enum From {
    Manifest,
    Like,
    Stored,
}

/// Cancels when the second read starts.
struct Second(AtomicUsize, CancellationToken);

impl Monitor for Second {
    fn request(&self, call: Call) {
        if call == Call::Read && self.0.fetch_add(1, Ordering::SeqCst) == 1 {
            self.1.cancel();
        }
    }
}

fn stored(algorithm: Algorithm, bytes: &[u8]) -> Fact<Vec<StoredChecksum>> {
    let digest = Hasher::digest(algorithm, bytes);
    Fact::Known { value: vec![StoredChecksum { digest, kind: ChecksumKind::FullObject }], source: "memory" }
}

/// An object whose bytes match its CRC64NVME, or its ETag if a stored value is wrong.
fn object(from: From) -> MemoryObject {
    let bytes = data(5, SIZE);
    let mut object = MemoryObject::plain(TARGET.parse().unwrap(), bytes.clone());
    object.facts.checksums = match from {
        From::Stored => {
            object.facts.id.etag = Some(ETag::new(&Hasher::digest(Algorithm::Md5, &bytes).hex()));
            stored(Algorithm::Crc64Nvme, b"other")
        }
        From::Manifest | From::Like => stored(Algorithm::Crc64Nvme, &bytes),
    };
    object
}

fn context(monitor: Arc<dyn Monitor>) -> Context {
    let retry = RetryPolicy { attempts: 2, base: Duration::from_millis(1), ..RetryPolicy::default() };
    Context { monitor, retry, ..Context::default() }
}

async fn run(
    source: &MemorySource,
    request: &VerifyOptions,
    monitor: Arc<dyn Monitor>,
    cancel: &CancellationToken,
) -> Verified {
    let session = Session::new(Arc::new(source.clone()), context(monitor));
    verify(&session, request, cancel).await.unwrap()
}

async fn case(from: From, ends: &Ends) -> Verified {
    let source = MemorySource::new(object(from));
    let mut request = VerifyOptions::default();
    match from {
        From::Manifest => {
            let wanted = VerifyOptions { manifest_wanted: true, ..request.clone() };
            let mut manifest =
                run(&source, &wanted, Arc::new(Silent), &CancellationToken::new()).await.manifest.unwrap();
            let wrong = Hasher::digest(Algorithm::Sha256, b"other").base64();
            manifest.parts.iter_mut().for_each(|parts| parts.digests[0] = wrong.clone());
            manifest.whole.remove("sha256");
            if manifest.parts.is_empty() {
                manifest.whole.insert("sha256".to_owned(), wrong);
            }
            request.manifest = Some(("m".to_owned(), manifest));
        }
        From::Like => {
            let mut like = object(from);
            like.facts.checksums = stored(Algorithm::Crc32, b"other");
            request.like = Some(Arc::new(MemorySource::new(like)));
        }
        From::Stored => {}
    }
    let second = |action| vec![Fault { call: Call::Read, at: None, skip: 1, times: u32::MAX, action }];
    let cancel = CancellationToken::new();
    let mut monitor: Arc<dyn Monitor> = Arc::new(Silent);
    match ends {
        Ends::Bytes => request.quota = Quota::new(None, Some(SIZE as u64)),
        Ends::Time => request.quota = Quota::new(Some(Instant::now()), None),
        Ends::Signal => monitor = Arc::new(Second(AtomicUsize::new(0), cancel.clone())),
        Ends::Answer(kind) => source.object().faults = second(Action::Fail(kind.clone())),
        Ends::OtherBytes => source.object().faults = second(Action::Flip { offset: 9 }),
    }
    run(&source, &request, monitor, &cancel).await
}

#[tokio::test]
async fn a_mismatch_that_no_second_reading_decided_is_unknown_whatever_else_matched() {
    use ErrorKind::{Archived, Changed, Denied, NotFound, Protocol, ShortBody, Transient};
    let answers = [Archived, Changed, Denied, NotFound, Protocol, ShortBody, Transient].map(Ends::Answer);
    let others = [Ends::Bytes, Ends::Time, Ends::Signal, Ends::OtherBytes];
    for ends in answers.into_iter().chain(others) {
        for from in [From::Manifest, From::Like, From::Stored] {
            let verified = case(from, &ends).await;
            let (report, what) = (&verified.report, format!("{from:?}, {ends:?}"));
            let exits: &[i64] = match ends {
                Ends::Signal => &[130],
                Ends::Answer(Transient | Denied) => &[4],
                _ => &[3],
            };
            assert!(exits.contains(&i64::from(report.exit_code.code())), "{what}: {}", report.exit_code);
            assert_eq!(report.verdict.name(), "unknown", "{what}");
            let finding =
                |check: &str| report.findings.iter().find(|finding| finding.check.to_string() == check).unwrap();
            for check in ["proof", "contradiction"] {
                let code = finding(check).reason.as_ref().map(|reason| reason.code.name());
                assert_eq!((code, finding(check).required), (Some("contradiction"), true), "{what}: {report:#?}");
            }
            assert!(!report.proved_by.is_empty(), "{what}: another value did match");
            assert!(report.parts.iter().all(|run| run.state.name() == "in_question"), "{what}: {:?}", report.parts);
            assert!(verified.doubt.is_some(), "{what}");
        }
    }
}

#[tokio::test]
async fn what_nothing_identifies_may_have_been_replaced_while_it_was_read() {
    for (etag, modified, exit, identity) in [
        (None, None, 3, "unknown"),
        (None, Some(jiff::Timestamp::UNIX_EPOCH), 0, "pass"),
        (Some(ETag::new("opaque")), None, 0, "pass"),
    ] {
        let mut object = object(From::Like);
        (object.facts.id.etag, object.facts.last_modified) = (etag, modified);
        let (source, options) = (MemorySource::new(object), VerifyOptions::default());
        let report = run(&source, &options, Arc::new(Silent), &CancellationToken::new()).await.report;
        assert_eq!((i64::from(report.exit_code.code()), report.findings[0].verdict.name()), (exit, identity));
    }
}
