use super::{AmiId, redact_urls};

/// The text is not a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{target}: {problem}")]
pub struct ParseTargetError {
    /// The text as typed, without secrets.
    pub target: String,
    /// The problem, for the user.
    pub problem: TargetProblem,
}

impl ParseTargetError {
    pub(super) fn new(text: &str, problem: TargetProblem) -> Self {
        let target = if text.is_empty() { "(empty)".to_owned() } else { redact_urls(text).into_owned() };
        ParseTargetError { target, problem }
    }
}

/// Why a text is not a target. Each text says what is wrong, and then what to type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetProblem {
    /// The text is empty.
    #[error("is not a target; write s3://bucket/key or the path of a file")]
    Empty,
    /// Neither `s3://` nor an ARN, where only these are accepted.
    #[error(
        "is neither s3://bucket/key nor an S3 ARN; write s3://BUCKET/KEY, such as s3://backup/ami-0123456789abcdef0.bin"
    )]
    NotAnObject,
    /// `s3://bucket` or `s3://bucket/`.
    #[error(
        "names a bucket but no key; write s3://bucket/key. For all stored AMI objects of a bucket there are `audit` and \
         `verify --prefix`"
    )]
    NoKey,
    /// `s3:///key`.
    #[error("names no bucket; write s3://bucket/key")]
    NoBucket,
    /// `?versionId=` without an id: an empty variable in a script must not select the current version.
    #[error("has an empty versionId; write ?versionId=ID, or leave it out for the current version")]
    EmptyVersion,
    /// An ARN with too few fields.
    #[error("is an incomplete ARN; write arn:aws:s3:::bucket/key")]
    IncompleteArn,
    /// The ARN of something else than an S3 object.
    #[error("is an ARN, but not of an S3 object; write arn:aws:s3:::bucket/key")]
    OtherArn,
    /// The ARN of a bucket.
    #[error("names a bucket but no key; write arn:aws:s3:::bucket/key")]
    BucketArn,
    /// The ARN of an access point, without an object.
    #[error("names an access point but no key; write …:accesspoint/NAME/object/KEY")]
    PointArn,
    /// `s3://arn:…`.
    #[error("has an ARN in the place of a bucket; write the ARN by itself, as arn:…:accesspoint/NAME/object/KEY")]
    ArnAsBucket,
    /// An AMI id, where an object is needed.
    #[error(
        "is an AMI id, and this command reads objects; write s3://BUCKET/{0}.bin. `is-stored`, `store`, `cost` and `preflight store` take AMI ids; a file of this name is ./{0}"
    )]
    Image(String),
    /// An AMI id, where only `s3://` or an ARN is accepted.
    #[error(
        "is an AMI id, and this command takes the object that holds the AMI; write s3://BUCKET/{0}.bin \
         (`stored-ami is-stored {0} --bucket BUCKET` says whether it is there)"
    )]
    ImageForObject(String),
    /// `S3://bucket/key`, `s3:/bucket/key` or `s3:bucket/key`.
    #[error("is not how an object is written; write {0}")]
    Spelling(String),
    /// A `~` that the shell did not expand.
    #[error("begins with ~, which the shell does not expand inside quotes; leave out the quotes, or write $HOME/…")]
    Tilde,
    /// `-`.
    #[error(
        "is standard input, which cannot be verified: its size is not known before its bytes, and nothing can be read \
         twice; save it to a file. `--targets-from -` reads a list of targets from standard input"
    )]
    StandardInput,
    /// A URL with a scheme other than `s3`, `http`, `https` and `file`.
    #[error("has a scheme that is not known; write s3://bucket/key, an https:// URL of S3, an S3 ARN or a file")]
    UnknownScheme,
    /// A URL of a host that is not one of S3.
    #[error(
        "is not a URL of an S3 object; write s3://bucket/key, with --endpoint-url https://HOST for another server than AWS"
    )]
    OtherHost,
    /// A URL that is not well-formed.
    #[error("is not a valid URL: {0}; write s3://bucket/key")]
    Malformed(&'static str),
    /// A URL of S3 or of its console without an object.
    #[error("is a URL of S3 without an object; write s3://bucket/key, or the URL of the object's page")]
    NoObjectInUrl,
    /// The host of an access point.
    #[error("is a URL of an access point; write its ARN: arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/object/KEY")]
    PointHost,
    /// The host of a website, which serves no ranges of every object and states no checksums.
    #[error("is a URL of an S3 website, which does not state what S3 stores; write s3://bucket/key")]
    Website,
    /// Parameters of a signature without a URL before them.
    #[error("has the signature of a presigned URL, and is no URL; give the whole URL in quotes, from https:// on")]
    SignatureAlone,
    /// A presigned URL that cannot be read by ranges.
    #[error("is a presigned URL that cannot be read: {0}")]
    Presigned(PresignedProblem),
    /// A version for a local file.
    #[error("is a file, and has no versions")]
    FileVersion,
    /// `--version-id` beside a URL that names its version, or a signed one.
    #[error("states its version already, so --version-id cannot be used with it; give one of the two")]
    VersionTwice,
}

/// Why a presigned URL cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PresignedProblem {
    /// A signed header whose value is not known.
    #[error("it was signed with the header `{0}`, whose value is not in the URL; sign it for GET with `host` alone")]
    SignedHeader(String),
    /// It names one part of the object.
    #[error("it was signed for one part (partNumber); sign it without partNumber")]
    OnePart,
    /// Parameters of the signature are missing, as where a shell ended the URL at its first `&`.
    #[error("it is cut off; give the whole URL, in quotes, because a shell ends it at &")]
    CutOff,
    /// The parameters that say when it was signed cannot be read.
    #[error("its date or its time of validity cannot be read; copy the whole URL, in quotes")]
    Validity,
}

/// The problem of a text that looks like an AMI id, complete or not.
pub(super) fn as_image(text: &str) -> Option<TargetProblem> {
    looks_like_image(text).then(|| TargetProblem::Image(text.to_owned()))
}

/// The problem of a text that is neither `s3://bucket/key` nor an ARN.
pub(super) fn not_an_object(text: &str) -> TargetProblem {
    match looks_like_image(text) {
        true => TargetProblem::ImageForObject(text.to_owned()),
        false => TargetProblem::NotAnObject,
    }
}

fn looks_like_image(text: &str) -> bool {
    let Some(digits) = text.strip_prefix("ami-") else { return false };
    text.parse::<AmiId>().is_ok() || !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit())
}
