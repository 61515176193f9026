use http::Method;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Serialize};

use super::action::Action;

/// The operations that the lab implements, by their names in the S3 API.
#[allow(missing_docs, reason = "most variants are the API's own names")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operation {
    AbortMultipartUpload,
    CompleteMultipartUpload,
    CopyObject,
    CreateBucket,
    CreateMultipartUpload,
    DeleteBucket,
    DeleteBucketLifecycle,
    DeleteObject,
    DeleteObjectTagging,
    DeleteObjects,
    GetBucketAcl,
    GetBucketEncryption,
    GetBucketLifecycleConfiguration,
    GetBucketLocation,
    GetBucketPolicyStatus,
    GetBucketRequestPayment,
    GetBucketVersioning,
    GetObject,
    GetObjectAttributes,
    GetObjectLegalHold,
    GetObjectLockConfiguration,
    GetObjectRetention,
    GetObjectTagging,
    GetPublicAccessBlock,
    HeadBucket,
    HeadObject,
    ListBuckets,
    ListMultipartUploads,
    ListObjectVersions,
    ListObjectsV2,
    ListParts,
    PutBucketLifecycleConfiguration,
    PutBucketRequestPayment,
    PutBucketVersioning,
    PutObject,
    PutObjectLegalHold,
    PutObjectRetention,
    PutObjectTagging,
    RestoreObject,
    UploadPart,
    UploadPartCopy,
    /// A call of another service than S3.
    Service(Action),
    /// A new connection, before its first request.
    Connect,
    /// A request that the lab does not implement; the answer is 501.
    Unknown,
}

use Operation as Op;

impl Operation {
    /// By its name in the API, of whichever service.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let text: StrDeserializer<'_, Error> = name.into_deserializer();
        Operation::deserialize(text).ok().or_else(|| Action::named(name).map(Op::Service))
    }

    /// The operation of a request, from its method, what its path names, the
    /// sub-resources in its query, and whether it names a source to copy.
    pub(crate) fn route(
        method: &Method,
        has_bucket: bool,
        has_key: bool,
        query: impl Fn(&str) -> bool,
        copies: bool,
    ) -> Self {
        let first = |table: &[(&str, Op)], default| {
            table.iter().find(|(name, _)| query(name)).map_or(default, |(_, operation)| *operation)
        };
        match (method, has_bucket, has_key) {
            (&Method::GET, false, _) => Op::ListBuckets,
            (&Method::HEAD, true, false) => Op::HeadBucket,
            (&Method::DELETE, true, false) if query("tagging") || query("policy") => Op::Unknown,
            (&Method::DELETE, true, false) => first(&[("lifecycle", Op::DeleteBucketLifecycle)], Op::DeleteBucket),
            (&Method::POST, true, false) => first(&[("delete", Op::DeleteObjects)], Op::Unknown),
            (&Method::GET, true, false) => first(
                &[
                    ("location", Op::GetBucketLocation),
                    ("versioning", Op::GetBucketVersioning),
                    ("versions", Op::ListObjectVersions),
                    ("uploads", Op::ListMultipartUploads),
                    ("acl", Op::GetBucketAcl),
                    ("encryption", Op::GetBucketEncryption),
                    ("object-lock", Op::GetObjectLockConfiguration),
                    ("policyStatus", Op::GetBucketPolicyStatus),
                    ("lifecycle", Op::GetBucketLifecycleConfiguration),
                    ("publicAccessBlock", Op::GetPublicAccessBlock),
                    ("requestPayment", Op::GetBucketRequestPayment),
                    ("list-type", Op::ListObjectsV2),
                ],
                Op::Unknown,
            ),
            (&Method::PUT, true, false) => first(
                &[
                    ("versioning", Op::PutBucketVersioning),
                    ("requestPayment", Op::PutBucketRequestPayment),
                    ("policy", Op::Unknown),
                    ("tagging", Op::Unknown),
                    ("encryption", Op::Unknown),
                    ("lifecycle", Op::PutBucketLifecycleConfiguration),
                ],
                Op::CreateBucket,
            ),
            (&Method::HEAD, true, true) => Op::HeadObject,
            (&Method::GET, true, true) => first(
                &[
                    ("attributes", Op::GetObjectAttributes),
                    ("tagging", Op::GetObjectTagging),
                    ("retention", Op::GetObjectRetention),
                    ("legal-hold", Op::GetObjectLegalHold),
                    ("uploadId", Op::ListParts),
                    ("acl", Op::Unknown),
                ],
                Op::GetObject,
            ),
            (&Method::PUT, true, true) => {
                let upload = if copies { Op::UploadPartCopy } else { Op::UploadPart };
                first(
                    &[
                        ("tagging", Op::PutObjectTagging),
                        ("retention", Op::PutObjectRetention),
                        ("legal-hold", Op::PutObjectLegalHold),
                        ("uploadId", upload),
                        ("acl", Op::Unknown),
                    ],
                    if copies { Op::CopyObject } else { Op::PutObject },
                )
            }
            (&Method::POST, true, true) => first(
                &[
                    ("uploads", Op::CreateMultipartUpload),
                    ("uploadId", Op::CompleteMultipartUpload),
                    ("restore", Op::RestoreObject),
                ],
                Op::Unknown,
            ),
            (&Method::DELETE, true, true) => {
                first(&[("uploadId", Op::AbortMultipartUpload), ("tagging", Op::DeleteObjectTagging)], Op::DeleteObject)
            }
            _ => Op::Unknown,
        }
    }

    /// Whether the request sets the properties of a new object.
    pub(crate) fn writes_properties(self) -> bool {
        matches!(self, Op::CopyObject | Op::CreateMultipartUpload | Op::PutObject)
    }

    /// The IAM actions that headers of a write need besides (IAM Service Authorization Reference, *Amazon S3*).
    pub(crate) fn actions_of_headers(self, is_sent: impl Fn(&str) -> bool) -> Vec<&'static str> {
        let actions = [
            ("x-amz-tagging", "s3:PutObjectTagging"),
            ("x-amz-object-lock-mode", "s3:PutObjectRetention"),
            ("x-amz-object-lock-legal-hold", "s3:PutObjectLegalHold"),
        ];
        let sent = actions.into_iter().filter(|(name, _)| self.writes_properties() && is_sent(name));
        sent.map(|(_, action)| action).collect()
    }

    /// The IAM actions a caller needs (IAM Service Authorization Reference,
    /// *Amazon S3*); a version id asks for other ones.
    pub(crate) fn actions(self, versioned: bool) -> &'static [&'static str] {
        match (self, versioned) {
            (Op::AbortMultipartUpload, _) => &["s3:AbortMultipartUpload"],
            (
                Op::CompleteMultipartUpload
                | Op::CopyObject
                | Op::CreateMultipartUpload
                | Op::PutObject
                | Op::UploadPart
                | Op::UploadPartCopy,
                _,
            ) => &["s3:PutObject"],
            (Op::CreateBucket, _) => &["s3:CreateBucket"],
            (Op::DeleteBucket, _) => &["s3:DeleteBucket"],
            (Op::DeleteObject | Op::DeleteObjects, false) => &["s3:DeleteObject"],
            (Op::DeleteObject | Op::DeleteObjects, true) => &["s3:DeleteObjectVersion"],
            (Op::DeleteObjectTagging, false) => &["s3:DeleteObjectTagging"],
            (Op::DeleteObjectTagging, true) => &["s3:DeleteObjectVersionTagging"],
            (Op::GetBucketAcl, _) => &["s3:GetBucketAcl"],
            (Op::GetBucketEncryption, _) => &["s3:GetEncryptionConfiguration"],
            (Op::GetBucketLifecycleConfiguration, _) => &["s3:GetLifecycleConfiguration"],
            (Op::DeleteBucketLifecycle | Op::PutBucketLifecycleConfiguration, _) => &["s3:PutLifecycleConfiguration"],
            (Op::GetBucketLocation, _) => &["s3:GetBucketLocation"],
            (Op::GetBucketPolicyStatus, _) => &["s3:GetBucketPolicyStatus"],
            (Op::GetBucketRequestPayment, _) => &["s3:GetBucketRequestPayment"],
            (Op::GetBucketVersioning, _) => &["s3:GetBucketVersioning"],
            (Op::GetObject | Op::HeadObject, false) => &["s3:GetObject"],
            (Op::GetObject | Op::HeadObject, true) => &["s3:GetObjectVersion"],
            (Op::GetObjectAttributes, false) => &["s3:GetObject", "s3:GetObjectAttributes"],
            (Op::GetObjectAttributes, true) => &["s3:GetObjectVersion", "s3:GetObjectVersionAttributes"],
            (Op::GetObjectLegalHold, _) => &["s3:GetObjectLegalHold"],
            (Op::GetObjectLockConfiguration, _) => &["s3:GetBucketObjectLockConfiguration"],
            (Op::GetObjectRetention, _) => &["s3:GetObjectRetention"],
            (Op::GetObjectTagging, false) => &["s3:GetObjectTagging"],
            (Op::GetObjectTagging, true) => &["s3:GetObjectVersionTagging"],
            (Op::GetPublicAccessBlock, _) => &["s3:GetBucketPublicAccessBlock"],
            (Op::HeadBucket | Op::ListObjectsV2, _) => &["s3:ListBucket"],
            (Op::ListBuckets, _) => &["s3:ListAllMyBuckets"],
            (Op::ListMultipartUploads, _) => &["s3:ListBucketMultipartUploads"],
            (Op::ListObjectVersions, _) => &["s3:ListBucketVersions"],
            (Op::ListParts, _) => &["s3:ListMultipartUploadParts"],
            (Op::PutBucketRequestPayment, _) => &["s3:PutBucketRequestPayment"],
            (Op::PutBucketVersioning, _) => &["s3:PutBucketVersioning"],
            (Op::PutObjectLegalHold, _) => &["s3:PutObjectLegalHold"],
            (Op::PutObjectRetention, _) => &["s3:PutObjectRetention"],
            (Op::PutObjectTagging, false) => &["s3:PutObjectTagging"],
            (Op::PutObjectTagging, true) => &["s3:PutObjectVersionTagging"],
            (Op::RestoreObject, _) => &["s3:RestoreObject"],
            (Op::Connect | Op::Service(_) | Op::Unknown, _) => &[],
        }
    }
}
