use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::checksum::{Algorithm, Hasher};
use crate::copy::UploadChecksum;
use crate::facts::Walk;
use crate::ident::{ObjectUri, Prefix};
use crate::progress::Call;
use crate::source::s3::{Connection, S3Upload};
use crate::source::{
    BucketService as _, Completion, Context, ErrorKind, NewObject, PartBody, PutConditions, Session, SourceError,
    UploadService as _, write_absent,
};
use crate::units::PartNumber;

/// Results up to this size are written in one request; larger ones in parts of this size.
const PART: u64 = 16 << 20;

/// Results under a prefix of a bucket.
pub(super) struct BucketResults {
    connection: Connection,
    prefix: Prefix,
    context: Context,
}

impl BucketResults {
    pub(super) fn new(connection: &Connection, prefix: &Prefix, context: &Context) -> Self {
        BucketResults { connection: connection.clone(), prefix: prefix.clone(), context: context.clone() }
    }

    fn uri(&self, name: &str) -> ObjectUri {
        ObjectUri { bucket: self.prefix.bucket.clone(), key: format!("{}{name}", self.prefix.prefix), version: None }
    }

    fn session(&self, uri: ObjectUri) -> Session {
        Session::new(Arc::new(self.connection.object(uri)), self.context.clone())
    }

    /// The names of the objects, without the prefix.
    pub(super) async fn names(&self) -> Result<Vec<String>, String> {
        let bucket = self.connection.bucket(&self.prefix.bucket, self.context.clone());
        let mut walk = Walk::new(&self.prefix.bucket, &self.prefix.prefix);
        let mut names = Vec::new();
        while !walk.is_over() {
            let page = bucket.list(&mut walk).await.map_err(|error| error.explain())?;
            let named = page.objects.iter().filter_map(|object| object.key.strip_prefix(&self.prefix.prefix));
            names.extend(named.map(str::to_owned));
        }
        Ok(names)
    }

    pub(super) async fn fetch(&self, name: &str) -> Result<Option<File>, String> {
        let session = self.session(self.uri(name));
        let explain = |error: SourceError| error.explain();
        let facts = match session.head().await {
            Ok(facts) => facts,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(explain(error)),
        };
        let mut file = tempfile::tempfile().map_err(|error| error.to_string())?;
        let add = |bytes: &[u8]| file.write_all(bytes).map_err(|error| io_error(session.target(), &error));
        session.read_whole(&facts, add).await.map_err(explain)?;
        file.rewind().map_err(|error| error.to_string())?;
        Ok(Some(file))
    }

    /// Writes an object, unless it exists. Returns whether it was written.
    pub(super) async fn put(&self, name: &str, content: &Path) -> Result<bool, String> {
        let uri = self.uri(name);
        let upload = self.connection.upload(&uri);
        let written = write_absent(&self.session(uri), || self.attempt(&upload, content)).await;
        written.map_err(|error| error.explain())
    }

    async fn attempt(&self, upload: &S3Upload, content: &Path) -> Result<(), SourceError> {
        let opened = File::open(content).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (size, file) = opened.map_err(|error| io_error(upload.uri(), &error))?;
        match size > PART {
            true => self.put_parts(upload, file, size).await,
            false => self.put_small(upload, file).await,
        }
    }

    async fn put_small(&self, upload: &S3Upload, mut file: File) -> Result<(), SourceError> {
        let body = read(&mut file, PART, upload)?;
        let (new, digest) = (NewObject::default(), digest(&body));
        let sent = self.context.retry(Call::Write, || upload.put(&new, &body, Some(&digest), &PutConditions::Absent));
        sent.await.map(drop)
    }

    async fn put_parts(&self, upload: &S3Upload, file: File, size: u64) -> Result<(), SourceError> {
        let checksum = UploadChecksum { algorithm: Algorithm::Sha256, is_composite: true };
        let new = NewObject { checksum: Some(checksum), ..NewObject::default() };
        // If an answer is lost, an upload without parts is left, which costs nothing.
        let id = self.context.retry(Call::Write, || upload.begin(&new)).await?;
        let done = self.send_parts(upload, &id, (file, size), checksum).await;
        if done.is_err() {
            // The parts would be billed.
            drop(self.context.retry(Call::Write, || upload.abort(&id)).await);
        }
        done
    }

    async fn send_parts(
        &self,
        upload: &S3Upload,
        id: &str,
        (mut file, size): (File, u64),
        checksum: UploadChecksum,
    ) -> Result<(), SourceError> {
        let mut parts = Vec::new();
        for number in (1..=size.div_ceil(PART)).filter_map(|number| PartNumber::new(u32::try_from(number).ok()?)) {
            let body = read(&mut file, PART, upload)?;
            let digest = digest(&body);
            let send = || upload.part(id, number, &body, Some(&digest));
            parts.push(self.context.retry(Call::Write, send).await?);
        }
        let conditions = PutConditions::Absent;
        let completion = Completion { parts, size, checksum: Some(checksum), full_object: None, conditions };
        self.context.retry(Call::Write, || upload.complete(id, &completion)).await.map(drop)
    }
}

fn digest(body: &PartBody) -> crate::checksum::Digest {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    body.frames().iter().for_each(|frame| hasher.update(frame));
    hasher.finish()
}

/// Reads the next bytes of a file, up to a maximum number.
fn read(file: &mut File, most: u64, upload: &S3Upload) -> Result<PartBody, SourceError> {
    let mut bytes = Vec::new();
    match file.take(most).read_to_end(&mut bytes) {
        Ok(_) => Ok(PartBody::new(vec![Bytes::from(bytes)])),
        Err(error) => Err(io_error(upload.uri(), &error)),
    }
}

fn io_error(subject: impl std::fmt::Display, error: &io::Error) -> SourceError {
    SourceError::new(ErrorKind::Io, subject, error.to_string())
}

#[cfg(all(test, feature = "lab"))]
mod tests {
    use stored_ami_lab::{BucketOptions, Fault, FaultRule, Lab, LabOptions, Operation};
    use tempfile::NamedTempFile;

    use super::*;
    use crate::source::s3::S3Options;

    const SMALL: u64 = 1_000;
    const LARGE: u64 = PART + SMALL;

    async fn results() -> (Lab, BucketResults) {
        let lab = Lab::start(LabOptions::default()).await.unwrap();
        lab.create_bucket("r", BucketOptions::default()).unwrap();
        let options = S3Options {
            region: Some("us-east-1".to_owned()),
            endpoint_url: Some(lab.endpoint()),
            no_sign_request: true,
            ..S3Options::default()
        };
        let connection = Connection::open(options).await.unwrap();
        let results = BucketResults::new(&connection, &"s3://r/run/".parse().unwrap(), &Context::default());
        (lab, results)
    }

    fn file(bytes: u64) -> (Vec<u8>, NamedTempFile) {
        let content: Vec<u8> = (0..bytes).map(|at| (at % 251) as u8).collect();
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(&content).unwrap();
        (content, file)
    }

    async fn fetched(results: &BucketResults) -> Vec<u8> {
        let mut bytes = Vec::new();
        results.fetch("x").await.unwrap().unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_result_is_not_lost_by_a_refusal_that_passes() {
        use Operation::{CompleteMultipartUpload, CreateMultipartUpload, PutObject, UploadPart};
        let status = |status, code| Fault::Status { status, code };
        let (conflict, slow) = (status(409, "ConditionalRequestConflict"), status(503, "SlowDown"));
        for (bytes, operation, fault, is_written) in [
            (SMALL, PutObject, slow.clone(), true),
            (SMALL, PutObject, conflict.clone(), true),
            (SMALL, PutObject, Fault::AnswerLost, false),
            (LARGE, CreateMultipartUpload, slow.clone(), true),
            (LARGE, CreateMultipartUpload, Fault::Dropped, true),
            (LARGE, UploadPart, slow.clone(), true),
            (LARGE, UploadPart, status(404, "NoSuchUpload"), true),
            (LARGE, CompleteMultipartUpload, slow, true),
            (LARGE, CompleteMultipartUpload, conflict, true),
            (LARGE, CompleteMultipartUpload, Fault::AnswerLost, false),
        ] {
            let (lab, results) = results().await;
            lab.script(FaultRule::new(operation, fault.clone()));
            let (content, file) = file(bytes);
            let written = results.put("x", file.path()).await;
            assert_eq!(written, Ok(is_written), "{operation:?} {fault:?}");
            assert!(fetched(&results).await == content, "{operation:?} {fault:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn another_writer_is_not_overwritten() {
        for (bytes, operation) in [(SMALL, Operation::PutObject), (LARGE, Operation::CompleteMultipartUpload)] {
            let (lab, results) = results().await;
            let (content, other) = file(7);
            assert_eq!(results.put("x", other.path()).await, Ok(true));
            let conflict = Fault::Status { status: 409, code: "ConditionalRequestConflict" };
            lab.script(FaultRule::new(operation, conflict.clone()));
            assert_eq!(results.put("x", file(bytes).1.path()).await, Ok(false));
            assert_eq!(fetched(&results).await, content);
            // A conflict that stays is an error.
            lab.script(FaultRule::new(operation, conflict).key_contains("y").always());
            assert!(results.put("y", file(bytes).1.path()).await.unwrap_err().contains("ConditionalRequestConflict"));
        }
    }
}
