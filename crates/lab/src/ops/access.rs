//! Who may read a bucket: its policy and its ACL, and whether it locks objects.

use serde::Serialize;

use super::lookup;
use crate::shared::Shared;
use crate::wire::xml::Namespace;
use crate::wire::{Reply, S3Error, S3Request};

const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema-instance";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyStatus {
    #[serde(rename = "@xmlns")]
    xmlns: Namespace,
    is_public: bool,
}

/// GetBucketPolicyStatus. The lab keeps no policies, only whether one makes the bucket public.
pub(super) fn policy_status(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let store = shared.store();
    if !lookup::bucket(&store, &request.bucket)?.options.public_policy {
        return Err(S3Error::new(404, "NoSuchBucketPolicy", "The bucket policy does not exist"));
    }
    Reply::subresource("PolicyStatus", &PolicyStatus { xmlns: Namespace, is_public: true })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Acl<'a> {
    #[serde(rename = "@xmlns")]
    xmlns: Namespace,
    owner: Owner<'a>,
    access_control_list: Grants<'a>,
}

#[derive(Serialize)]
struct Owner<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Grants<'a> {
    grant: Vec<Grant<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Grant<'a> {
    grantee: Grantee<'a>,
    permission: &'static str,
}

#[derive(Serialize)]
struct Grantee<'a> {
    #[serde(rename = "@xmlns:xsi")]
    schema: &'static str,
    #[serde(rename = "@xsi:type")]
    kind: &'static str,
    #[serde(rename = "ID", skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "URI", skip_serializing_if = "Option::is_none")]
    uri: Option<&'static str>,
}

/// GetBucketAcl.
pub(super) fn acl(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let store = shared.store();
    let public = lookup::bucket(&store, &request.bucket)?.options.public_acl;
    let id = shared.options.account.as_str();
    let owner = Grantee { schema: SCHEMA, kind: "CanonicalUser", id: Some(id), uri: None };
    let everybody = Grantee { schema: SCHEMA, kind: "Group", id: None, uri: Some(ALL_USERS) };
    let mut grant = vec![Grant { grantee: owner, permission: "FULL_CONTROL" }];
    if public {
        grant.push(Grant { grantee: everybody, permission: "READ" });
    }
    let document = Acl { xmlns: Namespace, owner: Owner { id }, access_control_list: Grants { grant } };
    Reply::subresource("AccessControlPolicy", &document)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LockConfiguration {
    #[serde(rename = "@xmlns")]
    xmlns: Namespace,
    object_lock_enabled: &'static str,
}

/// GetObjectLockConfiguration.
pub(super) fn lock_configuration(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let store = shared.store();
    if !lookup::bucket(&store, &request.bucket)?.options.object_lock {
        let message = "Object Lock configuration does not exist for this bucket";
        return Err(S3Error::new(404, "ObjectLockConfigurationNotFoundError", message));
    }
    let document = LockConfiguration { xmlns: Namespace, object_lock_enabled: "Enabled" };
    Reply::subresource("ObjectLockConfiguration", &document)
}
