//! The requests of `doctor`.

use std::sync::Arc;

use tokio::join;

use super::DoctorRequest;
use crate::commands::RegionClients as _;
use crate::facts::{BucketFacts, Caller, Readability, readability};
use crate::ident::{ObjectUri, Prefix};
use crate::source::s3::{Answered, Connection, Origins, S3Options};
use crate::source::{Context, ErrorKind, Session, SourceError};
use crate::units::ByteRange;

/// What was found, and why something was not.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Why the settings cannot be used. Nothing was sent then.
    pub settings: Option<SourceError>,
    /// Why there are no credentials. Requests were sent without a signature then, to examine the server.
    pub no_credentials: Option<SourceError>,
    pub origins: Origins,
    pub region: Option<String>,
    /// The identity; `None` if requests are not signed.
    pub caller: Option<Result<Caller, SourceError>>,
    /// The first request to S3: HeadBucket, or ListBuckets if no bucket was given. `None` if none was sent.
    pub first: Option<Result<BucketFacts, SourceError>>,
    /// What its responses had in common.
    pub answered: Answered,
    /// Whether a bucket was given.
    pub wants_bucket: bool,
    /// The bucket; `None` if none was given or it was not examined.
    pub bucket: Option<BucketSurvey>,
}

/// What was found about a bucket, in its own Region.
#[derive(Debug)]
pub(super) struct BucketSurvey {
    pub name: String,
    /// HeadBucket.
    pub head: Result<BucketFacts, SourceError>,
    /// The first key with the prefix.
    pub first_key: Result<Option<String>, SourceError>,
    /// An object; `None` if none was listed.
    pub read: Option<ReadSurvey>,
}

/// What was found about one object.
#[derive(Debug)]
pub(super) struct ReadSurvey {
    pub uri: ObjectUri,
    /// HeadObject, and GetObject of one byte.
    pub bytes: Result<ByteAnswer, SourceError>,
    /// GetObjectAttributes.
    pub attributes: Result<(), SourceError>,
}

/// What happened to the request for one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteAnswer {
    Read,
    /// The object has no byte.
    Empty,
    /// The object is archived, so the byte was not requested.
    Archived,
}

impl Survey {
    /// The Region of the bucket, as the server states it.
    pub(super) fn bucket_region(&self) -> Option<String> {
        match self.first.as_ref()? {
            Ok(facts) => facts.region.clone(),
            Err(SourceError { kind: ErrorKind::WrongRegion(region), .. }) => region.clone(),
            Err(_) => None,
        }
    }
}

pub(super) async fn survey(request: &DoctorRequest, context: &Context) -> Survey {
    let mut survey = Survey { wants_bucket: request.bucket.is_some(), ..Survey::default() };
    let connection = match Connection::open(request.options.clone()).await {
        Ok(connection) => connection,
        Err(error) if error.kind == ErrorKind::Credentials => {
            survey.no_credentials = Some(error);
            let unsigned = S3Options { no_sign_request: true, ..request.options.clone() };
            match Connection::open(unsigned).await {
                Ok(connection) => connection,
                Err(error) => return Survey { settings: Some(error), ..survey },
            }
        }
        Err(error) => return Survey { settings: Some(error), ..survey },
    };
    survey.origins = connection.origins().await;
    survey.region = Some(connection.region().to_owned());
    let is_signed = !request.options.no_sign_request && survey.no_credentials.is_none();
    let checkup = connection.checkup(context.clone());
    let first = async {
        match &request.bucket {
            Some(prefix) => checkup.bucket(&prefix.bucket).await,
            None => checkup.buckets().await.map(|()| BucketFacts::default()),
        }
    };
    let caller = async {
        match is_signed {
            true => Some(connection.account(context.clone()).caller().await),
            false => None,
        }
    };
    let (first, caller) = join!(first, caller);
    survey.answered = checkup.answered();
    survey.caller = caller;
    let may_go_on = survey.no_credentials.is_none() && survey.answered.any;
    if let Some(prefix) = request.bucket.as_ref().filter(|_| may_go_on) {
        survey.bucket = Some(survey_bucket(&connection, prefix, &first, context).await);
    }
    survey.first = Some(first);
    survey
}

/// Asks a bucket in its own Region. `first` is its answer in the configured one.
async fn survey_bucket(
    connection: &Connection,
    prefix: &Prefix,
    first: &Result<BucketFacts, SourceError>,
    context: &Context,
) -> BucketSurvey {
    let elsewhere = match first {
        Err(SourceError { kind: ErrorKind::WrongRegion(Some(region)), .. }) => Some(connection.in_region(region)),
        _ => None,
    };
    let connection = elsewhere.as_ref().unwrap_or(connection);
    let checkup = connection.checkup(context.clone());
    let head = match elsewhere {
        Some(_) => checkup.bucket(&prefix.bucket).await,
        None => first.clone(),
    };
    let first_key = checkup.first_key(prefix).await;
    let read = match &first_key {
        Ok(Some(key)) => {
            let uri = ObjectUri { bucket: prefix.bucket.clone(), key: key.clone(), version: None };
            Some(survey_object(connection, uri, context).await)
        }
        _ => None,
    };
    BucketSurvey { name: prefix.bucket.clone(), head, first_key, read }
}

async fn survey_object(connection: &Connection, uri: ObjectUri, context: &Context) -> ReadSurvey {
    let session = Session::new(Arc::new(connection.object(uri.clone())), context.clone());
    let facts = match session.head().await {
        Ok(facts) => facts,
        Err(error) => return ReadSurvey { uri, bytes: Err(error.clone()), attributes: Err(error) },
    };
    let restore = facts.restore.as_ref().and_then(|restore| restore.as_ref().ok());
    let readable = readability(facts.storage_class.as_deref(), facts.archive_status.as_deref(), restore);
    let bytes = match readable {
        Readability::Archived(_) => Ok(ByteAnswer::Archived),
        _ if facts.size == 0 => Ok(ByteAnswer::Empty),
        _ => session.read_small(&facts.id, facts.size, ByteRange::whole(1)).await.map(|_| ByteAnswer::Read),
    };
    let attributes = session.attributes(&facts.id).await.map(drop);
    ReadSurvey { uri, bytes, attributes }
}
