//! A lab whose objects are changed behind what S3 keeps of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use stored_ami::checksum::{Algorithm, Digest};
use stored_ami::commands::verify::{Verified, VerifyOptions, verify};
use stored_ami::ident::ETag;
use stored_ami::manifest::{GivenSums, Manifest, SumLine, SumValue};
use stored_ami::plan::{Budget, Limits, Sample};
use stored_ami::report::VerifyReport;
use stored_ami::source::s3::{Connection, S3Options};
use stored_ami::source::{Context, ObjectSource, Session};
use stored_ami::verdict::Verdict;
use stored_ami_lab::checksum::{ChecksumType, StoredChecksum, from_parts, multipart_etag};
use stored_ami_lab::{
    BucketOptions, CallRecord, ChecksumChoice, Deny, Encryption, Fault, FaultRule, Lab, LabOptions, ObjectRecord,
    Operation, PartRecord, PartSizes, SyntheticSpec,
};
use tokio_util::sync::CancellationToken;

use crate::aws::AsAws;
use crate::claim::{Reference, digest, lab};
use crate::harm::{Case, Harm};
use crate::holding::{Answers, Holding, Reading};
use crate::requests::SMALL;
use crate::shape::parts;

const BUCKET: &str = "archive";
const LIKE: &str = "like.bin";

pub struct Rig {
    lab: Lab,
    connection: Connection,
    holding: Holding,
    budget: Budget,
    /// Objects so far.
    objects: AtomicUsize,
    /// Manifests of bytes, written by the tool itself.
    manifests: Mutex<BTreeMap<Bytes, Manifest>>,
}

impl Rig {
    pub async fn new(holding: Holding) -> Self {
        let lab = Lab::start(LabOptions { default_checksum: false, ..LabOptions::default() }).await.unwrap();
        lab.create_bucket(BUCKET, BucketOptions::default()).unwrap();
        if holding.answers != Answers::All {
            lab.deny(Deny::action("s3:GetObjectAttributes"));
        }
        let options = S3Options {
            region: Some("us-east-1".to_owned()),
            endpoint_url: Some(lab.endpoint()),
            no_sign_request: true,
            ..S3Options::default()
        };
        let connection = Connection::open(options).await.unwrap();
        let range_bytes = (holding.reading == Reading::InOrder).then_some(SMALL as u64);
        let budget = Limits { range_bytes, ..Limits::default() }.budget().unwrap();
        let rig =
            Rig { lab, connection, holding, budget, objects: AtomicUsize::default(), manifests: Mutex::default() };
        rig.create(LIKE).await;
        rig
    }

    async fn create(&self, key: &str) {
        let any = SyntheticSpec { size: 1, parts: PartSizes::None, seed: 0, checksum: ChecksumChoice::None };
        self.lab.synthesize(BUCKET, key, any).await.unwrap();
    }

    /// Each case has an object of its own: a reading that is given up leaves requests behind that are still under way,
    /// and they must not be taken for those of the next case.
    async fn fresh(&self) -> String {
        let key = format!("case-{}.bin", self.objects.fetch_add(1, Ordering::Relaxed));
        self.create(&key).await;
        key
    }

    /// Does what is to be done, verifies, and gives the report and the reads of object bytes.
    pub async fn verify(&self, case: &Case) -> (VerifyReport, Vec<CallRecord>) {
        let key = self.fresh().await;
        let mut request = self.options();
        for reference in &self.holding.references {
            self.give(*reference, case, (&key, &mut request)).await;
        }
        self.plant(&key, case);
        self.lab.clear_calls();
        let report = self.run(&key, request).await.report;
        let mut calls = self.lab.calls();
        calls.retain(|call| call.operation == Operation::GetObject && call.key == key);
        (report, calls)
    }

    fn source(&self, key: &str) -> Arc<dyn ObjectSource> {
        // The matrix is about S3 itself, which documents its ETags.
        Arc::new(AsAws(Arc::new(self.connection.object(format!("s3://{BUCKET}/{key}").parse().unwrap()))))
    }

    fn options(&self) -> VerifyOptions {
        VerifyOptions { budget: self.budget, ..VerifyOptions::default() }
    }

    async fn run(&self, key: &str, mut request: VerifyOptions) -> Verified {
        match self.holding.reading {
            Reading::Sample => request.sample = Some(Sample::Slice { slice: 2, of: 2 }),
            Reading::InOrder if !request.manifest_wanted => request.digest = vec![Algorithm::Sha512],
            Reading::InOrder | Reading::Usual => {}
        }
        let context = Context::default();
        let session = Session::new(self.source(key), context);
        verify(&session, &request, &CancellationToken::new()).await.unwrap()
    }

    /// Adds what a person gives to the request.
    async fn give(&self, reference: Reference, case: &Case, (key, request): (&str, &mut VerifyOptions)) {
        let value = |algorithm| Digest::new(algorithm, &digest(algorithm, &case.total_of)).unwrap();
        match reference {
            Reference::Expect(algorithm) => {
                request.expect = vec![format!("{algorithm}:{}", value(algorithm).hex()).parse().unwrap()];
            }
            Reference::ExpectParts(algorithm) => {
                let count = case.written.len();
                let composite = stored(algorithm, ChecksumType::Composite, &case.total_of, &case.written).value;
                request.expect = vec![format!("{algorithm}:{composite}-{count}").parse().unwrap()];
            }
            Reference::ExpectETag => {
                request.etag = Some(ETag::new(&etag(&self.holding, &case.total_of, &case.written)));
            }
            Reference::Sums(algorithm) => {
                let line = SumLine { line: 1, value: SumValue::Stated(value(algorithm)) };
                request.sums = Some(GivenSums { file: "SUMS".to_owned(), values: vec![line], notes: Vec::new() });
            }
            Reference::Like(_) => request.like = Some(self.source(LIKE)),
            Reference::Manifest => {
                let of_parts = self.manifest(&case.parts_of, &case.written).await;
                let total = self.manifest(&case.total_of, &case.written).await;
                // It is the manifest of this very object, from before, when it was proved.
                let (verdict, proved_by) = (Verdict::Pass, vec!["crc64nvme".to_owned()]);
                let target = self.source(key).target().to_string();
                request.manifest = Some((
                    "m.json".to_owned(),
                    Manifest { target, verdict, proved_by, whole: total.whole, ..of_parts },
                ));
            }
            Reference::Full(_) | Reference::Unstated(_) | Reference::Composite(_) | Reference::ETag => {}
        }
    }

    /// What `--write-manifest` keeps of these bytes, while they were at rest.
    async fn manifest(&self, bytes: &Bytes, written: &[usize]) -> Manifest {
        if let Some(known) = self.manifests.lock().unwrap().get(bytes) {
            return known.clone();
        }
        let key = self.fresh().await;
        let before = Case {
            harm: Harm::None,
            written: written.to_vec(),
            told: written.to_vec(),
            stated_size: bytes.len(),
            held: bytes.clone(),
            etag_of: bytes.clone(),
            parts_of: bytes.clone(),
            total_of: bytes.clone(),
        };
        self.plant(&key, &before);
        let run = self.run(&key, VerifyOptions { manifest_wanted: true, ..self.options() }).await;
        let manifest = run.manifest.unwrap_or_else(|| panic!("no manifest: {:#?}", run.report));
        self.manifests.lock().unwrap().insert(bytes.clone(), manifest.clone());
        manifest
    }

    /// Puts the bytes at rest, and what S3 keeps of them, to what they are in the case.
    fn plant(&self, key: &str, case: &Case) {
        self.lab.replace(BUCKET, key, case.held.clone()).unwrap();
        self.lab.with_object(BUCKET, key, |record| self.record(case, record)).unwrap();
        if let Some(Reference::Like(algorithm)) = self.holding.references.first() {
            let like = |record: &mut ObjectRecord| {
                self.record(case, record);
                record.size = case.total_of.len() as u64;
                record.checksum = Some(stored(*algorithm, ChecksumType::FullObject, &case.total_of, &[]));
            };
            self.lab.with_object(BUCKET, LIKE, like).unwrap();
        }
        self.lab.clear_script();
        let rule = |operation, fault| FaultRule::new(operation, fault).key_contains(key);
        let always = |fault| self.lab.script(rule(Operation::HeadObject, fault).always());
        match self.holding.answers {
            Answers::All | Answers::Unlisted => {}
            Answers::Ignored => always(Fault::PartHeadLies),
            Answers::Refused => {
                let refused = Fault::Status { status: 403, code: "AccessDenied" };
                self.lab.script(rule(Operation::HeadObject, refused).skip(1).always());
            }
        }
        if let Some(Reference::Unstated(_)) = self.holding.references.first() {
            always(Fault::HeaderAbsent("x-amz-checksum-type"));
        }
        if case.harm == Harm::Wire {
            let flip = Fault::FlipOnWire { offset: 3, mask: 0x20 };
            self.lab.script(rule(Operation::GetObject, flip));
        }
    }

    fn record(&self, case: &Case, record: &mut ObjectRecord) {
        record.size = case.stated_size as u64;
        record.etag = etag(&self.holding, &case.etag_of, &case.written);
        record.encryption = match self.holding.has(Reference::ETag) {
            true => Encryption::S3,
            false => Encryption::Kms { key_id: "arn:aws:kms:us-east-1:123456789012:key/k".into(), bucket_key: false },
        };
        let (checksum, of_parts) =
            self.holding.references.iter().fold((None, None), |kept, reference| match reference {
                Reference::Full(algorithm) | Reference::Unstated(algorithm) => {
                    (Some(stored(*algorithm, ChecksumType::FullObject, &case.total_of, &[])), None)
                }
                Reference::Composite(algorithm) => {
                    let value = stored(*algorithm, ChecksumType::Composite, &case.total_of, &case.written);
                    (Some(value), Some(*algorithm))
                }
                _ => kept,
            });
        record.checksum = checksum;
        record.parts.clear();
        if self.holding.multipart() {
            let (md5s, values) = (parts(&case.etag_of, &case.written), parts(&case.parts_of, &case.written));
            record.parts.extend((1..).zip(&case.told).zip(md5s.iter().zip(&values)).map(
                |((number, size), (etag_of, value_of))| PartRecord {
                    number,
                    size: *size as u64,
                    etag: hex::encode(digest(Algorithm::Md5, etag_of)),
                    checksum: of_parts.map(|algorithm| STANDARD.encode(digest(algorithm, value_of))),
                },
            ));
        }
        let changed = case.harm == Harm::Metadata;
        record.metadata = [("name".to_owned(), if changed { "other" } else { "golden" }.to_owned())].into();
        record.tags = if changed { vec![("stage".to_owned(), "other".to_owned())] } else { Vec::new() };
    }

    /// What S3 keeps of an object, for a comparison with an upload.
    pub async fn kept(&self, case: &Case) -> ObjectRecord {
        let key = self.fresh().await;
        self.plant(&key, case);
        self.lab.with_object(BUCKET, &key, |record| record.clone()).unwrap()
    }
}

fn stored(algorithm: Algorithm, kind: ChecksumType, bytes: &[u8], written: &[usize]) -> StoredChecksum {
    match kind {
        ChecksumType::FullObject => StoredChecksum::full(lab(algorithm), &digest(algorithm, bytes)),
        ChecksumType::Composite => {
            let digests: Vec<(Vec<u8>, u64)> =
                parts(bytes, written).iter().map(|part| (digest(algorithm, part), part.len() as u64)).collect();
            from_parts(lab(algorithm), kind, &digests).expect("a legal type")
        }
    }
}

fn etag(holding: &Holding, bytes: &[u8], written: &[usize]) -> String {
    let md5 = |bytes: &[u8]| hex::encode(digest(Algorithm::Md5, bytes));
    if !holding.multipart() {
        return md5(bytes);
    }
    let md5s: Vec<String> = parts(bytes, written).into_iter().map(md5).collect();
    multipart_etag(md5s.iter().map(String::as_str))
}
