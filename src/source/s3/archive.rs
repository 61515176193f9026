//! Making an archived object readable.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{GlacierJobParameters, RequestPayer, RestoreRequest, Tier};

use super::Connection;
use super::ask::addressed;
use super::bounded::About;
use super::error::translate;
use crate::ident::{ObjectIdentity, ObjectUri};
use crate::price::RetrievalTier;
use crate::source::{ArchiveAnswer, ArchiveService, ErrorKind, RestoreFromArchive, SourceError};

/// An archived object in S3 or in a compatible server.
#[derive(Clone)]
pub struct S3Archive {
    connection: Connection,
    client: Client,
    uri: ObjectUri,
}

impl Connection {
    /// Makes an archived object readable over this connection.
    pub fn archive(&self, uri: &ObjectUri) -> S3Archive {
        S3Archive { client: self.client(), connection: self.clone(), uri: uri.clone() }
    }
}

fn tier(tier: RetrievalTier) -> Tier {
    match tier {
        RetrievalTier::Expedited => Tier::Expedited,
        RetrievalTier::Standard => Tier::Standard,
        RetrievalTier::Bulk => Tier::Bulk,
    }
}

#[async_trait]
impl ArchiveService for S3Archive {
    fn uri(&self) -> &ObjectUri {
        &self.uri
    }

    async fn restore(&self, request: RestoreFromArchive) -> Result<ArchiveAnswer, SourceError> {
        let invalid = |error: &dyn std::fmt::Display| {
            SourceError::new(ErrorKind::Invalid, &self.uri, format!("the request cannot be made: {error}"))
        };
        let parameters = request.tier.map(|wanted| GlacierJobParameters::builder().tier(tier(wanted)).build());
        let parameters = parameters.transpose().map_err(|error| invalid(&error))?;
        let days = request.days.map(|days| i32::try_from(days).unwrap_or(i32::MAX));
        let wanted = RestoreRequest::builder().set_days(days).set_glacier_job_parameters(parameters).build();
        let about = About::new(ObjectIdentity::default());
        let sent = addressed!(self, self.client.restore_object(), self.uri)
            .restore_request(wanted)
            .customize()
            .interceptor(about.clone())
            .send()
            .await;
        let error = match sent {
            Ok(_) if about.heard().status == Some(200) => return Ok(ArchiveAnswer::Extended),
            Ok(_) => return Ok(ArchiveAnswer::Accepted),
            Err(error) => translate(error, &self.uri.to_string(), "s3:RestoreObject"),
        };
        let refused = |detail: &str| SourceError {
            kind: ErrorKind::Invalid,
            detail: detail.to_owned(),
            advice: None,
            ..error.clone()
        };
        match error.code.as_deref() {
            Some("RestoreAlreadyInProgress") => Ok(ArchiveAnswer::InProgress),
            Some("ObjectAlreadyInActiveTierError") => Ok(ArchiveAnswer::NotArchived),
            // Status 503, but another attempt would not help for a while.
            Some("GlacierExpeditedRetrievalNotAvailable") => {
                Err(refused("S3 has no capacity for Expedited retrievals now; try later, or another --tier"))
            }
            Some("InvalidObjectState") => Err(refused("S3 makes no copy of an object in this storage class")),
            _ => Err(error),
        }
    }
}
