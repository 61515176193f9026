//! Replacing an object: only the one that the user named, and only where the server heeds the condition.

use bytes::Bytes;

use super::CopyEnds;
use super::run::Copying;
use crate::copy::{CopyCheck, CopyFinding, WriteMode};
use crate::facts::Service;
use crate::ident::{ETag, shell_option};
use crate::report::{Exit, LeftReport};
use crate::source::{Completion, ErrorKind, NewObject, PartBody, PutConditions, SourceError, Written};
use crate::units::PartNumber;

/// The ETag of no object.
const NO_ETAG: &str = "00000000000000000000000000000000";

/// How the server treats a write whose condition is not met.
enum Heeded {
    /// It refuses it.
    Yes,
    /// It carried it out.
    No(Written),
    NotKnown(SourceError),
}

impl Copying<'_> {
    /// Whether the write may begin: with `--replace-if` only on a server that refuses a wrong ETag. AWS documents that;
    /// other servers are asked, with an object of one byte beside the destination, which none makes that heeds the
    /// condition.
    pub(super) async fn may_replace(&mut self) -> bool {
        if self.request.replace_if.is_none() || self.ends.service == Service::Aws {
            return true;
        }
        let problem = match heeded(self.ends, self.prepared.plan.mode, &self.prepared.new).await {
            Heeded::Yes => return true,
            Heeded::NotKnown(error) => format!("whether the server honours If-Match is not known: {}", error.explain()),
            Heeded::No(written) => {
                if let Err(error) = self.ends.probe.remove(written.version.as_deref()).await {
                    self.left_probe(&error);
                }
                "the server carries out a write whose If-Match is wrong".to_owned()
            }
        };
        let text = format!("{problem}; --replace-if needs a server that refuses it");
        self.add(CopyFinding::open(CopyCheck::Absent, text));
        self.prepared.report.exit_code = Exit::Usage;
        false
    }

    fn left_probe(&mut self, error: &SourceError) {
        let uri = self.ends.probe.uri();
        self.prepared.report.left_behind.push(LeftReport {
            id: uri.to_string(),
            state: format!("an object of one byte that could not be removed: {}", error.explain()),
            remove_with: format!(
                "aws s3api delete-object {} {}{}",
                shell_option("--bucket", &uri.bucket),
                shell_option("--key", &uri.key),
                self.ends.to.aws_arguments(self.ends.endpoint.as_deref()),
            ),
        });
    }
}

/// Sends a write of the kind that ends the copy, with a condition that is not met.
async fn heeded(ends: &CopyEnds, mode: WriteMode, new: &NewObject) -> Heeded {
    let new = NewObject { kms_key: new.kms_key.clone(), ..NewObject::default() };
    let wrong = PutConditions::Is(ETag::new(NO_ETAG));
    let body = PartBody::new(vec![Bytes::from_static(b"x")]);
    let written = match mode {
        WriteMode::Put => ends.probe.put(&new, &body, None, &wrong).await,
        WriteMode::Multipart => complete(ends, &new, &body, wrong).await,
    };
    match written {
        Ok(written) => Heeded::No(written),
        // S3 answers 404 where there is no object, and 412 where there is another one.
        Err(error) if error.code.as_deref() == Some("NoSuchUpload") => Heeded::NotKnown(error),
        Err(error) if matches!(error.kind, ErrorKind::Changed | ErrorKind::NotFound) => Heeded::Yes,
        Err(error) => Heeded::NotKnown(error),
    }
}

async fn complete(
    ends: &CopyEnds,
    new: &NewObject,
    body: &PartBody,
    conditions: PutConditions,
) -> Result<Written, SourceError> {
    let id = ends.probe.begin(new).await?;
    let written = match ends.probe.part(&id, PartNumber::FIRST, body, None).await {
        Ok(part) => {
            let (parts, size) = (vec![part], body.length());
            ends.probe.complete(&id, &Completion { parts, size, checksum: None, full_object: None, conditions }).await
        }
        Err(error) => Err(SourceError { kind: ErrorKind::Invalid, ..error }),
    };
    if written.is_err() {
        // The upload holds one byte. An error here is that of a server that the copy cannot use.
        ends.probe.abort(&id).await?;
    }
    written
}
