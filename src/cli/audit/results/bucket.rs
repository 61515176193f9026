use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use bytes::Bytes;

use crate::checksum::{Algorithm, Hasher};
use crate::copy::UploadChecksum;
use crate::facts::Walk;
use crate::ident::{ObjectUri, Prefix};
use crate::progress::Call;
use crate::source::s3::{Connection, S3Upload};
use crate::source::{
    BucketService as _, Completion, Context, ErrorKind, NewObject, PartBody, PutConditions, Session, SourceError,
    UploadService as _,
};
use crate::units::{ByteRange, PartNumber};

/// Results up to this size are written in one request; larger ones in parts of this size.
const PART: u64 = 16 << 20;
/// Size of a read in bytes.
const READ: u64 = 8 << 20;

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
        let session = Session::new(std::sync::Arc::new(self.connection.object(self.uri(name))), self.context.clone());
        let explain = |error: SourceError| error.explain();
        let facts = match session.head().await {
            Ok(facts) => facts,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(explain(error)),
        };
        let mut file = tempfile::tempfile().map_err(|error| error.to_string())?;
        let mut at = 0;
        while at < facts.size {
            let end = facts.size.min(at.saturating_add(READ));
            let range = ByteRange::new(at, end).ok_or("an empty range")?;
            let bytes = session.read_small(&facts.id, facts.size, range).await.map_err(explain)?;
            file.write_all(&bytes).map_err(|error| error.to_string())?;
            at = end;
        }
        file.rewind().map_err(|error| error.to_string())?;
        Ok(Some(file))
    }

    /// Writes an object, unless it exists. Returns whether it was written.
    pub(super) async fn put(&self, name: &str, content: &Path) -> Result<bool, String> {
        let uri = self.uri(name);
        let upload = self.connection.upload(&uri);
        let file = File::open(content).map_err(|error| error.to_string())?;
        let size = file.metadata().map_err(|error| error.to_string())?.len();
        let done = match size > PART {
            true => self.put_parts(&upload, file, size).await,
            false => self.put_small(&upload, file).await,
        };
        match done {
            Ok(()) => Ok(true),
            Err(error) if error.kind == ErrorKind::Changed => Ok(false),
            Err(error) => Err(error.explain()),
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
        self.context.monitor.request(Call::Write);
        let id = upload.begin(&new).await?;
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
        Err(error) => Err(SourceError::new(ErrorKind::Io, upload.uri(), error.to_string())),
    }
}
