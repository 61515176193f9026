//! The life of an AMI with three volumes, killed before and after every call to EC2, and resumed: the result is one
//! stored object and one restored AMI.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use stored_ami::account::AccountService;
use stored_ami::account::aws::Account;
use stored_ami::checks::preflight::ServiceLimits;
use stored_ami::clock::TestClock;
use stored_ami::commands::preflight::{RestorePreflightRequest, StorePreflightRequest, preflight_store};
use stored_ami::commands::restore::{Begun, FollowRequest, How, follow_restore, prepare_restore, start_restore};
use stored_ami::commands::store::{StoreFollowRequest, follow_store, start_store};
use stored_ami::commands::stored::stored;
use stored_ami::commands::{ObjectServices, RegionClients, RegionServices};
use stored_ami::facts::{EbsDefault, ImageFacts, SnapshotFacts, StoreTask};
use stored_ami::ident::{AmiId, ObjectUri};
use stored_ami::image::ec2::Ec2;
use stored_ami::image::{ImageService, RestoreRequest, StoreRequest, TaskFilter};
use stored_ami::journal::Journal;
use stored_ami::progress::Silent;
use stored_ami::report::{Exit, StoredState};
use stored_ami::source::s3::{Connection, S3Options};
use stored_ami::source::{BucketService, Context, ErrorKind, ObjectSource, RetryPolicy, SourceError};
use stored_ami_lab::{LabOptions, TaskPace};
use tokio_util::sync::CancellationToken;

use crate::rig::{AMI, BUCKET, OBJECT, REGION, Rig};

/// EC2 that a run can only use up to step `last`. There are two steps per call, because a run can be killed before a
/// request is sent and before its response is processed.
struct Mortal {
    ec2: Ec2,
    step: AtomicUsize,
    last: usize,
    dead: CancellationToken,
}

impl Mortal {
    async fn step(&self) {
        if self.step.fetch_add(1, Ordering::SeqCst) == self.last {
            self.dead.cancel();
            std::future::pending::<()>().await;
        }
    }

    async fn through<T>(&self, call: impl Future<Output = T>) -> T {
        self.step().await;
        let answer = call.await;
        self.step().await;
        answer
    }
}

#[async_trait]
impl ImageService for Mortal {
    fn region(&self) -> &str {
        self.ec2.region()
    }
    async fn images(&self, ids: &[String]) -> Result<Vec<ImageFacts>, SourceError> {
        self.through(self.ec2.images(ids)).await
    }
    async fn own_images(&self) -> Result<Vec<ImageFacts>, SourceError> {
        self.through(self.ec2.own_images()).await
    }
    async fn shared_with_us(&self, id: &AmiId) -> Result<bool, SourceError> {
        self.through(self.ec2.shared_with_us(id)).await
    }
    async fn snapshots(&self, ids: &[String]) -> Result<Vec<SnapshotFacts>, SourceError> {
        self.through(self.ec2.snapshots(ids)).await
    }
    async fn restorable(&self, ids: &[String]) -> Result<Vec<String>, SourceError> {
        self.through(self.ec2.restorable(ids)).await
    }
    async fn pending_snapshots(&self) -> Result<Vec<SnapshotFacts>, SourceError> {
        self.through(self.ec2.pending_snapshots()).await
    }
    async fn count_snapshots(&self, pages: usize) -> Result<(u64, bool), SourceError> {
        self.through(self.ec2.count_snapshots(pages)).await
    }
    async fn store_tasks(&self, filter: &TaskFilter) -> Result<Vec<StoreTask>, SourceError> {
        self.through(self.ec2.store_tasks(filter)).await
    }
    async fn ebs_default(&self) -> Result<EbsDefault, SourceError> {
        self.through(self.ec2.ebs_default()).await
    }
    async fn store(&self, request: &StoreRequest, dry_run: bool) -> Result<String, SourceError> {
        self.through(self.ec2.store(request, dry_run)).await
    }
    async fn restore(&self, request: &RestoreRequest, dry_run: bool) -> Result<String, SourceError> {
        self.through(self.ec2.restore(request, dry_run)).await
    }
}

/// The services of a run that is killed at step `last` of EC2.
struct MortalClients {
    connection: Connection,
    last: usize,
    dead: CancellationToken,
}

impl RegionClients for MortalClients {
    fn images(&self, context: Context) -> Arc<dyn ImageService> {
        let ec2 = Ec2::new(&self.connection, context);
        Arc::new(Mortal { ec2, step: AtomicUsize::new(0), last: self.last, dead: self.dead.clone() })
    }

    fn account(&self, context: Context) -> Arc<dyn AccountService> {
        Arc::new(Account::new(&self.connection, context))
    }

    fn bucket(&self, name: &str, context: Context) -> Arc<dyn BucketService> {
        Arc::new(self.connection.bucket(name, context))
    }

    fn object(&self, uri: &ObjectUri) -> Arc<dyn ObjectSource> {
        Arc::new(self.connection.object(uri.clone()))
    }
}

/// One run that is killed at step `last` of EC2. Returns whether it completed.
async fn run(rig: &Rig, connection: &Connection, last: usize) -> bool {
    let context = Context {
        clock: Arc::new(TestClock::default()),
        monitor: Arc::new(Silent),
        retry: RetryPolicy::default(),
        pace: None,
    };
    let dead = CancellationToken::new();
    let clients = MortalClients { connection: connection.clone(), last, dead: dead.clone() };
    let object: ObjectUri = OBJECT.parse().unwrap();
    let services = RegionServices::new(Arc::new(clients), &context).at(&object);
    let journal = Journal::new(rig.home.path().join("journal"));
    tokio::select! {
        biased;
        () = dead.cancelled() => false,
        () = live(&services, &journal) => true,
    }
}

/// A signal that came before the call.
fn signalled() -> CancellationToken {
    let cancel = CancellationToken::new();
    cancel.cancel();
    cancel
}

/// Stores, follows, restores and follows; resumes what exists already.
async fn live(services: &ObjectServices, journal: &Journal) {
    let (image, into) = (AMI.parse().unwrap(), BUCKET.parse().unwrap());
    let never = CancellationToken::new();
    let answer = stored(services, &image, &into).await.unwrap().answer;
    let mut called = None;
    if answer == StoredState::NotStored {
        let wish = StorePreflightRequest {
            image: image.clone(),
            into,
            limits: ServiceLimits::default(),
            accept: Vec::new(),
            tags: true,
        };
        let (report, _) = preflight_store(services, &wish).await.unwrap();
        assert_eq!(report.exit_code, Exit::Passed);
        let refused = start_store(services, &wish, &report, None, &signalled()).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Interrupted);
        called = Some(start_store(services, &wish, &report, None, &never).await.unwrap());
    }
    if answer != StoredState::Stored {
        let wish = StoreFollowRequest { image: &image, bucket: Some(BUCKET), key: None, called, options: "" };
        let followed = follow_store(&services.region, &wish, &never).await.unwrap();
        assert_eq!(followed.report.state, "Completed");
        assert!(followed.report.requests > 0);
    }
    let wish = RestorePreflightRequest {
        target: OBJECT.parse().unwrap(),
        name: Some("gold".to_owned()),
        record: None,
        manifest: None,
        logical_size: None,
        verified: None,
        pace: None,
        limits: ServiceLimits::default(),
        accept: Vec::new(),
    };
    let prepared = prepare_restore(services, &wish, journal).await.unwrap();
    let begun = match prepared.existing {
        Some(image) => {
            Begun { image: image.id, identity: prepared.surveyed.identity.clone().unwrap(), how: How::Elsewhere }
        }
        None => {
            assert_eq!(prepared.surveyed.report.exit_code, Exit::Passed, "{:#?}", prepared.surveyed.report);
            let before = journal.entries().entries;
            let refused = start_restore(services, &prepared.surveyed, journal, &signalled()).await.unwrap_err();
            assert_eq!(refused.kind, ErrorKind::Interrupted);
            assert_eq!(journal.entries().entries, before, "no call is in the journal");
            start_restore(services, &prepared.surveyed, journal, &never).await.unwrap()
        }
    };
    let source = prepared.surveyed.source.as_ref();
    let wish = FollowRequest {
        image: &begun.image,
        origin: begun.origin(),
        source,
        verified: None,
        object_proof: None,
        alias: None,
        accept: &[],
        options: "",
    };
    let report = follow_restore(&services.region, &wish, journal, &never).await.unwrap();
    assert_eq!(report.exit_code, Exit::Passed, "{report:#?}");
}

/// Credentials are only read from the environment, and that of this process must not be changed.
const ENVIRONMENT: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "life"), ("AWS_SECRET_ACCESS_KEY", "life")];

#[test]
fn killed_at_every_step_and_taken_up_again_it_ends_with_one_ami() {
    let me = std::env::current_exe().unwrap();
    let mut command = std::process::Command::new(me);
    command.args(["--exact", "life::in_its_own_process", "--ignored", "--nocapture"]).envs(ENVIRONMENT);
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test above"]
async fn in_its_own_process() {
    killed_at_every_step().await;
}

async fn killed_at_every_step() {
    let mut step = 0;
    loop {
        let rig = Rig::with(LabOptions::default(), TaskPace::Polls(2)).await;
        let connection = connection(&rig).await;
        let finished = run(&rig, &connection, step).await;
        // The second run is killed as well, a little later; the third one may complete.
        if !finished {
            run(&rig, &connection, step / 2).await;
        }
        assert!(run(&rig, &connection, usize::MAX).await);
        let restored = rig.restored();
        assert_eq!(restored.len(), 1, "step {step}");
        assert_eq!((restored[0].state.as_str(), restored[0].mappings.len()), ("available", 3), "step {step}");
        let starts = rig.starts();
        assert_eq!(starts.len(), 2, "one store and one restore; step {step}: {starts:#?}");
        if finished {
            break;
        }
        step += 1;
    }
    assert!(step >= 40, "{step} steps are too few for the life of an AMI");
}

async fn connection(rig: &Rig) -> Connection {
    let options =
        S3Options { region: Some(REGION.to_owned()), endpoint_url: Some(rig.lab.endpoint()), ..S3Options::default() };
    Connection::open(options).await.unwrap()
}
