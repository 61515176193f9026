//! `policy`: the minimal IAM policy for a command.

mod remarks;

use serde_json::{Value, json};

pub use self::remarks::remarks;

/// A command that a policy can be generated for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyCommand {
    /// `inspect`.
    Inspect,
    /// `verify`.
    Verify,
    /// `is-stored`, and the deprecated `stored`.
    IsStored,
    /// `preflight store`.
    PreflightStore,
    /// `preflight restore`.
    PreflightRestore,
    /// `store`.
    Store,
    /// `restore`.
    Restore,
    /// `audit`.
    Audit,
    /// `safe-to-delete`.
    SafeToDelete,
    /// `copy`, at the source.
    CopySource,
    /// `copy`, at the destination.
    CopyDestination,
    /// `compare`.
    Compare,
    /// `thaw`.
    Thaw,
    /// `doctor`.
    Doctor,
    /// `fingerprint`.
    Fingerprint,
    /// `prove`.
    Prove,
    /// `batch`.
    Batch,
    /// The role that the jobs of `batch` assume.
    BatchRole,
    /// `drill`.
    Drill,
}

impl PolicyCommand {
    /// All commands, with their names as arguments of `policy`.
    pub const ALL: [(PolicyCommand, &'static str); 19] = [
        (PolicyCommand::Inspect, "inspect"),
        (PolicyCommand::Verify, "verify"),
        (PolicyCommand::IsStored, "is-stored"),
        (PolicyCommand::PreflightStore, "preflight-store"),
        (PolicyCommand::PreflightRestore, "preflight-restore"),
        (PolicyCommand::Store, "store"),
        (PolicyCommand::Restore, "restore"),
        (PolicyCommand::Audit, "audit"),
        (PolicyCommand::SafeToDelete, "safe-to-delete"),
        (PolicyCommand::CopySource, "copy-source"),
        (PolicyCommand::CopyDestination, "copy-destination"),
        (PolicyCommand::Compare, "compare"),
        (PolicyCommand::Thaw, "thaw"),
        (PolicyCommand::Doctor, "doctor"),
        (PolicyCommand::Fingerprint, "fingerprint"),
        (PolicyCommand::Prove, "prove"),
        (PolicyCommand::Batch, "batch"),
        (PolicyCommand::BatchRole, "batch-role"),
        (PolicyCommand::Drill, "drill"),
    ];
}

/// The resources that the policy covers.
#[derive(Debug, Clone)]
pub struct PolicyScope {
    /// The partition, such as `aws`.
    pub partition: String,
    /// The Region, or `*`.
    pub region: String,
    /// Twelve digits, or `*`.
    pub account: String,
    /// The name of the bucket; `None` for commands that access none.
    pub bucket: Option<String>,
    /// The prefix of the keys: empty, or ending in a slash.
    pub prefix: String,
    /// Name of the SSM parameter that `restore --alias` writes.
    pub alias: Option<String>,
    /// What `copy --via server` copies from, which the server reads with the permissions of the destination's caller.
    pub copied_from: Option<PolicyPlace>,
    /// Where the jobs of `batch` have their manifests and reports; among the objects if it is `None`.
    pub job_files: Option<PolicyPlace>,
    /// Where `audit --results` writes the results of shards, which `audit merge` reads.
    pub results: Option<PolicyPlace>,
}

/// Objects in another bucket.
#[derive(Debug, Clone)]
pub struct PolicyPlace {
    /// The name of the bucket.
    pub bucket: String,
    /// The prefix of the keys: empty, or ending in a slash.
    pub prefix: String,
}

impl PolicyScope {
    /// Rejects values that an ARN would interpret as more than one resource.
    fn check(&self) -> Result<(), String> {
        let is_label = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_lowercase())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let PolicyScope { partition, region, account, bucket, alias, copied_from, job_files, results, .. } = self;
        if !is_label(partition) || !partition.starts_with("aws") {
            return Err(format!("--partition {partition}: is not a partition, such as aws, aws-cn or aws-us-gov"));
        }
        if region != "*" && !is_label(region) {
            return Err(format!("--region {region}: is not a Region"));
        }
        if account != "*" && !(account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())) {
            return Err(format!("--account {account}: an account has twelve digits"));
        }
        let named = bucket.as_ref().map(|bucket| ("--bucket", bucket));
        let from = copied_from.as_ref().map(|from| ("--source-bucket", &from.bucket));
        let to = job_files.as_ref().map(|to| ("--to", &to.bucket));
        let results = results.as_ref().map(|place| ("--results", &place.bucket));
        for (option, bucket) in named.into_iter().chain(from).chain(to).chain(results) {
            // S3 User Guide, *General purpose buckets naming rules*; old buckets may have upper case and `_`.
            let of_bucket = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
            if !(3..=255).contains(&bucket.len()) || !bucket.bytes().all(of_bucket) {
                return Err(format!("{option} {bucket}: is not the name of a bucket"));
            }
        }
        // SSM API reference, *PutParameter*: letters, digits, `.`, `-`, `_`, and `/` between levels.
        let of_parameter = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
        match alias {
            Some(name) if name.trim_matches('/').is_empty() || !name.bytes().all(of_parameter) => {
                Err(format!("--alias {name}: is not the name of a parameter: letters, digits and `._-/`"))
            }
            _ => Ok(()),
        }
    }
}

/// Escapes a text for a resource. `*` and `?` are wildcards and `$` begins a variable, unless they are written as
/// variables (IAM User Guide, *IAM policy elements: Variables and tags*).
fn literal(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '*' | '?' | '$' => shown.extend(['$', '{', c, '}']),
            _ => shown.push(c),
        }
    }
    shown
}

/// The resources of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum On {
    Everything,
    Bucket,
    Objects,
    /// Objects that the server copies.
    CopiedObjects,
    /// Manifests and reports of jobs; [`On::Objects`] unless they have a place of their own.
    JobFiles,
    /// The same, if they have a place of their own.
    PlacedJobFiles,
    /// The bucket of that place.
    JobBucket,
    /// Results of the shards of an audit.
    Results,
    /// The bucket of those.
    ResultsBucket,
    Images,
    /// AMIs and snapshots that a restore creates.
    Restored,
    /// AMIs that a drill creates, by their tag.
    DrilledImages,
    /// Snapshots that a drill creates, by their tag.
    DrilledSnapshots,
    Snapshots,
    Keys,
    /// Roles that are handed to a service.
    Roles,
    Alias,
}

use PolicyCommand as P;

const READ: &[P] = &[
    P::Inspect,
    P::Verify,
    P::Compare,
    P::Doctor,
    P::Thaw,
    P::PreflightRestore,
    P::Restore,
    P::Audit,
    P::SafeToDelete,
    P::Drill,
];
const LOOK: &[P] = &[P::Inspect, P::Verify, P::Compare, P::Doctor, P::Audit, P::SafeToDelete, P::Drill];
/// Commands that read tags; `verify` with `--using tags`.
const TAGS: &[P] = &[P::Inspect, P::Verify, P::PreflightRestore, P::Restore, P::Audit, P::SafeToDelete, P::Drill];
const LOCKS: &[P] = &[P::Inspect, P::Audit, P::SafeToDelete];
/// Commands that read bucket settings for a policy file.
const KEPT: &[P] = &[P::PreflightStore, P::Store, P::Audit, P::SafeToDelete];
/// Both ends of a copy; the destination is described, and read with `--verify-destination`.
const COPY: &[P] = &[P::CopySource, P::CopyDestination];
const WRITE: &[P] = &[P::CopyDestination];
const STORED: &[P] = &[P::IsStored, P::PreflightStore, P::Store];
const BEFORE: &[P] = &[P::PreflightStore, P::PreflightRestore, P::Store, P::Restore, P::Drill];
const BEFORE_STORE: &[P] = &[P::PreflightStore, P::Store];
/// Commands that read the blocks of snapshots.
const BLOCKS: &[P] = &[P::Fingerprint, P::Prove, P::Drill];
/// A caller of `batch`, and the role of its jobs: both read objects, manifests and reports, and write some of them.
const JOBS: &[P] = &[P::Batch, P::BatchRole];
const BEFORE_RESTORE: &[P] = &[P::PreflightRestore, P::Restore, P::Drill];
/// Commands that start a restore.
const RESTORE: &[P] = &[P::Restore, P::Drill];
const DRILL: &[P] = &[P::Drill];

/// Every action, with its resources, the commands that need it, and the id of its statement. `sts:GetCallerIdentity`
/// needs no permission. The actions that the service performs during a task are from the example policy in the EC2 User
/// Guide, *Create a store image task*.
const ACTIONS: &[(&str, On, &[P], &str)] = &[
    ("s3:GetObject", On::Objects, READ, "Objects"),
    ("s3:GetObject", On::Objects, STORED, "Objects"),
    ("s3:GetObjectVersion", On::Objects, READ, "Objects"),
    ("s3:GetObjectAttributes", On::Objects, LOOK, "Objects"),
    ("s3:GetObjectVersionAttributes", On::Objects, LOOK, "Objects"),
    ("s3:GetObjectTagging", On::Objects, TAGS, "Objects"),
    ("s3:GetObjectVersionTagging", On::Objects, TAGS, "Objects"),
    ("s3:GetObjectRetention", On::Objects, LOCKS, "Objects"),
    ("s3:GetObjectLegalHold", On::Objects, LOCKS, "Objects"),
    ("s3:GetObject", On::Objects, COPY, "Objects"),
    ("s3:GetObjectVersion", On::Objects, COPY, "Objects"),
    ("s3:GetObjectAttributes", On::Objects, COPY, "Objects"),
    ("s3:GetObjectVersionAttributes", On::Objects, COPY, "Objects"),
    ("s3:GetObjectTagging", On::Objects, COPY, "Objects"),
    ("s3:GetObjectVersionTagging", On::Objects, COPY, "Objects"),
    ("s3:ListBucket", On::Bucket, COPY, "Bucket"),
    ("s3:ListBucketMultipartUploads", On::Bucket, WRITE, "Bucket"),
    ("s3:GetBucketVersioning", On::Bucket, WRITE, "Bucket"),
    ("s3:GetEncryptionConfiguration", On::Bucket, WRITE, "Bucket"),
    ("s3:GetBucketPublicAccessBlock", On::Bucket, WRITE, "Bucket"),
    ("s3:GetLifecycleConfiguration", On::Bucket, WRITE, "Bucket"),
    ("s3:GetBucketAcl", On::Bucket, WRITE, "Bucket"),
    ("s3:GetBucketObjectLockConfiguration", On::Bucket, WRITE, "Bucket"),
    ("s3:GetBucketPolicyStatus", On::Bucket, WRITE, "Bucket"),
    ("s3:PutObject", On::Objects, WRITE, "WriteObjects"),
    ("s3:PutObjectTagging", On::Objects, WRITE, "WriteObjects"),
    ("s3:AbortMultipartUpload", On::Objects, WRITE, "WriteObjects"),
    ("s3:ListMultipartUploadParts", On::Objects, WRITE, "WriteObjects"),
    // The source of UploadPartCopy (S3 API Reference, *UploadPartCopy*, Permissions).
    ("s3:GetObject", On::CopiedObjects, WRITE, "CopiedObjects"),
    ("s3:GetObjectVersion", On::CopiedObjects, WRITE, "CopiedObjects"),
    ("s3:RestoreObject", On::Objects, &[P::Thaw], "ThawObjects"),
    ("s3:ListBucket", On::Bucket, READ, "Bucket"),
    // S3 User Guide, *Granting permissions for Batch Operations*.
    ("s3:GetObject", On::Objects, JOBS, "Objects"),
    ("s3:GetObjectVersion", On::Objects, JOBS, "Objects"),
    ("s3:ListBucket", On::Bucket, &[P::Batch], "Bucket"),
    ("s3:PutObject", On::JobFiles, JOBS, "WriteJobFiles"),
    ("s3:GetObject", On::PlacedJobFiles, JOBS, "JobFiles"),
    ("s3:GetObjectVersion", On::PlacedJobFiles, JOBS, "JobFiles"),
    ("s3:ListBucket", On::JobBucket, &[P::Batch], "JobBucket"),
    // A place of results is read before it is written. Without s3:ListBucket, S3 answers 403 for a plan that is not there.
    ("s3:GetObject", On::Results, &[P::Audit], "Results"),
    ("s3:GetObjectVersion", On::Results, &[P::Audit], "Results"),
    ("s3:PutObject", On::Results, &[P::Audit], "Results"),
    ("s3:AbortMultipartUpload", On::Results, &[P::Audit], "Results"),
    ("s3:ListBucket", On::ResultsBucket, &[P::Audit], "ResultsBucket"),
    ("s3:CreateJob", On::Everything, &[P::Batch], "Jobs"),
    ("s3:DescribeJob", On::Everything, &[P::Batch], "Jobs"),
    ("iam:PassRole", On::Roles, &[P::Batch], "PassRole"),
    ("s3:RestoreObject", On::Objects, &[P::BatchRole], "ThawObjects"),
    ("s3:ListBucket", On::Bucket, STORED, "Bucket"),
    ("s3:ListBucketVersions", On::Bucket, STORED, "Bucket"),
    ("s3:ListBucketMultipartUploads", On::Bucket, STORED, "Bucket"),
    ("s3:ListBucketMultipartUploads", On::Bucket, &[P::Audit], "Bucket"),
    ("s3:GetBucketVersioning", On::Bucket, BEFORE, "Bucket"),
    ("s3:GetBucketVersioning", On::Bucket, &[P::Audit, P::SafeToDelete], "Bucket"),
    ("s3:GetEncryptionConfiguration", On::Bucket, KEPT, "Bucket"),
    ("s3:GetBucketPublicAccessBlock", On::Bucket, KEPT, "Bucket"),
    ("s3:GetLifecycleConfiguration", On::Bucket, &[P::Audit, P::SafeToDelete], "Bucket"),
    ("ec2:DescribeImages", On::Everything, BEFORE, "Describe"),
    ("ec2:DescribeImages", On::Everything, &[P::Audit, P::SafeToDelete], "Describe"),
    ("ec2:DescribeSnapshots", On::Everything, BEFORE, "Describe"),
    ("ec2:DescribeSnapshots", On::Everything, &[P::SafeToDelete], "Describe"),
    ("ec2:DescribeImages", On::Everything, BLOCKS, "Describe"),
    ("ec2:DescribeSnapshots", On::Everything, BLOCKS, "Describe"),
    ("ebs:ListSnapshotBlocks", On::Snapshots, BLOCKS, "TaskSnapshots"),
    ("ebs:GetSnapshotBlock", On::Snapshots, BLOCKS, "TaskSnapshots"),
    ("kms:Decrypt", On::Keys, BLOCKS, "DecryptSnapshots"),
    ("ec2:DescribeStoreImageTasks", On::Everything, STORED, "Describe"),
    ("ec2:DescribeStoreImageTasks", On::Everything, &[P::Audit, P::SafeToDelete], "Describe"),
    ("ec2:GetEbsEncryptionByDefault", On::Everything, BEFORE_RESTORE, "Describe"),
    ("ec2:GetEbsDefaultKmsKeyId", On::Everything, BEFORE_RESTORE, "Describe"),
    ("servicequotas:GetServiceQuota", On::Everything, BEFORE_RESTORE, "Describe"),
    ("kms:DescribeKey", On::Keys, BEFORE, "Keys"),
    ("ec2:CreateStoreImageTask", On::Images, BEFORE_STORE, "StartStore"),
    ("ec2:CreateRestoreImageTask", On::Images, BEFORE_RESTORE, "StartRestore"),
    // Actions of the service, with the permissions of the caller, while a task runs.
    ("s3:PutObject", On::Objects, &[P::Store], "WriteObjects"),
    ("s3:PutObjectTagging", On::Objects, &[P::Store], "WriteObjects"),
    ("s3:AbortMultipartUpload", On::Objects, &[P::Store], "WriteObjects"),
    ("s3:DeleteObject", On::Objects, &[P::Store], "WriteObjects"),
    ("ebs:ListSnapshotBlocks", On::Snapshots, &[P::Store], "TaskSnapshots"),
    ("ebs:ListChangedBlocks", On::Snapshots, &[P::Store], "TaskSnapshots"),
    ("ebs:GetSnapshotBlock", On::Snapshots, &[P::Store], "TaskSnapshots"),
    ("ec2:DescribeTags", On::Everything, &[P::Store, P::Restore, P::Drill], "Describe"),
    ("ebs:StartSnapshot", On::Snapshots, RESTORE, "TaskSnapshots"),
    ("ebs:PutSnapshotBlock", On::Snapshots, RESTORE, "TaskSnapshots"),
    ("ebs:CompleteSnapshot", On::Snapshots, RESTORE, "TaskSnapshots"),
    ("ec2:CreateTags", On::Restored, RESTORE, "TagRestored"),
    // Before a drill removes what it made, it asks what uses it.
    ("ec2:DescribeImageAttribute", On::Everything, DRILL, "Describe"),
    ("ec2:DescribeInstances", On::Everything, DRILL, "Describe"),
    ("ec2:DescribeSnapshotAttribute", On::Everything, DRILL, "Describe"),
    ("ec2:DescribeVolumes", On::Everything, DRILL, "Describe"),
    // Afterwards, it asks what is kept all the same.
    ("ec2:ListImagesInRecycleBin", On::Everything, DRILL, "Describe"),
    ("ec2:ListSnapshotsInRecycleBin", On::Everything, DRILL, "Describe"),
    ("ec2:DeregisterImage", On::DrilledImages, DRILL, "RemoveDrilledImages"),
    ("ec2:DeleteSnapshot", On::DrilledSnapshots, DRILL, "RemoveDrilledSnapshots"),
    ("ssm:PutParameter", On::Alias, &[P::Restore], "Alias"),
    ("ssm:GetParameter", On::Alias, &[P::Restore], "Alias"),
];

/// Condition key of the tag of a drill (IAM Service Authorization Reference, *Amazon EC2*).
const DRILLED: &str = "aws:ResourceTag/stored-ami:drill";

/// Generates the policy document.
///
/// # Errors
///
/// A value of the scope is invalid; the message begins with its option.
pub fn policy(commands: &[PolicyCommand], scope: &PolicyScope) -> Result<Value, String> {
    scope.check()?;
    let mut statements: Vec<(&str, On, Vec<&str>)> = Vec::new();
    for (action, on, needed_by, sid) in ACTIONS {
        let (on, sid) = match on {
            On::JobFiles if scope.job_files.is_none() => (&On::Objects, &"WriteObjects"),
            _ => (on, sid),
        };
        let wanted = needed_by.iter().any(|command| commands.contains(command));
        let has_place = match on {
            On::Alias => scope.alias.is_some(),
            On::CopiedObjects => scope.copied_from.is_some(),
            On::PlacedJobFiles | On::JobBucket => scope.job_files.is_some(),
            On::Results | On::ResultsBucket => scope.results.is_some(),
            _ => true,
        };
        if !wanted || !has_place {
            continue;
        }
        if matches!(on, On::Bucket | On::Objects) && scope.bucket.is_none() {
            return Err("--bucket: name the bucket that the policy covers".to_owned());
        }
        match statements.iter_mut().find(|(known, place, _)| known == sid && place == on) {
            Some((.., actions)) if actions.contains(action) => {}
            Some((.., actions)) => actions.push(action),
            None => statements.push((sid, *on, vec![action])),
        }
    }
    let statements: Vec<Value> = statements
        .into_iter()
        .map(|(sid, on, mut actions)| {
            actions.sort_unstable();
            let mut statement =
                json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources(on, scope) });
            if matches!(on, On::DrilledImages | On::DrilledSnapshots)
                && let Some(statement) = statement.as_object_mut()
            {
                // `Null` is false where the tag is there, whatever its value (IAM User Guide, *Condition operators*).
                statement.insert("Condition".to_owned(), json!({ "Null": { DRILLED: "false" } }));
            }
            statement
        })
        .collect();
    Ok(json!({ "Version": "2012-10-17", "Statement": statements }))
}

fn resources(on: On, scope: &PolicyScope) -> Value {
    let PolicyScope { partition, region, account, bucket, prefix, .. } = scope;
    let (bucket, prefix) = (bucket.as_deref().unwrap_or_default(), literal(prefix));
    let bucket_of = |at: &PolicyPlace| format!("arn:{partition}:s3:::{}", at.bucket);
    let placed = |at: &PolicyPlace| format!("{}/{}*", bucket_of(at), literal(&at.prefix));
    match on {
        On::Everything => json!("*"),
        On::Bucket => json!(format!("arn:{partition}:s3:::{bucket}")),
        On::Objects => json!(format!("arn:{partition}:s3:::{bucket}/{prefix}*")),
        On::CopiedObjects => json!(scope.copied_from.as_ref().map(placed)),
        On::JobFiles | On::PlacedJobFiles => json!(scope.job_files.as_ref().map(placed)),
        On::JobBucket => json!(scope.job_files.as_ref().map(bucket_of)),
        On::Results => json!(scope.results.as_ref().map(placed)),
        On::ResultsBucket => json!(scope.results.as_ref().map(bucket_of)),
        On::DrilledImages => json!(format!("arn:{partition}:ec2:{region}::image/*")),
        On::DrilledSnapshots => json!(format!("arn:{partition}:ec2:{region}::snapshot/*")),
        On::Images => json!(format!("arn:{partition}:ec2:{region}::image/*")),
        On::Snapshots => json!(format!("arn:{partition}:ec2:{region}::snapshot/*")),
        On::Restored => json!([
            format!("arn:{partition}:ec2:{region}::image/*"),
            format!("arn:{partition}:ec2:{region}::snapshot/*"),
        ]),
        On::Keys => json!(format!("arn:{partition}:kms:{region}:{account}:key/*")),
        On::Roles => json!(format!("arn:{partition}:iam::{account}:role/*")),
        On::Alias => {
            let name = scope.alias.as_deref().unwrap_or_default().trim_start_matches('/');
            json!(format!("arn:{partition}:ssm:{region}:{account}:parameter/{name}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> PolicyScope {
        PolicyScope {
            partition: "aws-us-gov".into(),
            region: "us-gov-west-1".into(),
            account: "*".into(),
            bucket: Some("archive".into()),
            prefix: String::new(),
            alias: None,
            copied_from: None,
            job_files: None,
            results: None,
        }
    }

    #[test]
    fn an_audit_writes_only_its_results() {
        let results = |results| policy(&[P::Audit], &PolicyScope { results, ..scope() });
        let place = |bucket: &str| PolicyPlace { bucket: bucket.into(), prefix: "runs/".into() };
        assert!(!results(None).unwrap().to_string().contains("s3:PutObject"));
        let document = results(Some(place("shards"))).unwrap();
        let statements = document["Statement"].as_array().unwrap();
        let of = |sid: &str| statements.iter().find(|statement| statement["Sid"] == sid).unwrap();
        assert_eq!(of("Results")["Resource"], "arn:aws-us-gov:s3:::shards/runs/*");
        assert_eq!(of("ResultsBucket")["Resource"], "arn:aws-us-gov:s3:::shards");
        let writing = |statement: &&Value| statement["Action"].to_string().contains("s3:PutObject");
        assert_eq!(statements.iter().filter(writing).count(), 1, "{document}");
        assert_eq!(results(Some(place("a*"))).unwrap_err(), "--results a*: is not the name of a bucket");
    }

    /// With a place of their own for manifests and reports, nothing may be written into the archive.
    #[test]
    fn jobs_write_only_where_their_files_are() {
        for command in [P::Batch, P::BatchRole] {
            let written = |job_files| {
                let document = policy(&[command], &PolicyScope { job_files, ..scope() }).unwrap();
                let statements = document["Statement"].as_array().unwrap().clone();
                let puts =
                    |statement: &&Value| statement["Action"].as_array().unwrap().contains(&json!("s3:PutObject"));
                statements.iter().filter(puts).map(|statement| statement["Resource"].clone()).collect::<Vec<_>>()
            };
            assert_eq!(written(None), ["arn:aws-us-gov:s3:::archive/*"]);
            let place = PolicyPlace { bucket: "reports".into(), prefix: "jobs/".into() };
            assert_eq!(written(Some(place)), ["arn:aws-us-gov:s3:::reports/jobs/*"]);
        }
        let place = PolicyPlace { bucket: "a/*".into(), prefix: String::new() };
        let wrong = policy(&[P::Batch], &PolicyScope { job_files: Some(place), ..scope() });
        assert_eq!(wrong.unwrap_err(), "--to a/*: is not the name of a bucket");
    }

    fn actions(commands: &[PolicyCommand]) -> Vec<String> {
        let document = policy(commands, &scope()).unwrap();
        let statements = document["Statement"].as_array().unwrap().clone();
        let of = |statement: &Value| statement["Action"].as_array().unwrap().clone();
        statements.iter().flat_map(of).map(|action| action.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn reading_commands_may_change_nothing() {
        let reading = [
            P::Inspect,
            P::Verify,
            P::Compare,
            P::Doctor,
            P::IsStored,
            P::Audit,
            P::SafeToDelete,
            P::Fingerprint,
            P::Prove,
        ];
        let found = actions(&reading);
        assert!(found.contains(&"s3:GetObject".to_owned()));
        let allowed = |action: &str| {
            let name = action.split(':').nth(1).unwrap();
            ["Get", "List", "Describe", "Decrypt"].iter().any(|verb| name.starts_with(verb))
        };
        assert!(found.iter().all(|action| allowed(action)), "{found:?}");
        // The dry run of a preflight needs the permission for the call itself.
        let before = actions(&[P::PreflightStore, P::PreflightRestore]);
        let others: Vec<&String> = before.iter().filter(|action| !allowed(action)).collect();
        assert_eq!(others, ["ec2:CreateStoreImageTask", "ec2:CreateRestoreImageTask"]);
    }

    #[test]
    fn no_action_is_named_twice_and_every_command_has_some() {
        let all: Vec<PolicyCommand> = PolicyCommand::ALL.iter().map(|(command, _)| *command).collect();
        let mut found = actions(&all);
        let count = found.len();
        found.sort();
        found.dedup();
        assert_eq!(found.len(), count);
        for command in all {
            assert!(!actions(&[command]).is_empty(), "{command:?}");
        }
    }

    #[test]
    fn a_drill_removes_only_what_has_its_tag() {
        let document = policy(&[P::Drill], &scope()).unwrap();
        let removing = |statement: &&Value| {
            statement.to_string().contains("ec2:De") && !statement.to_string().contains("Describe")
        };
        let statements: Vec<&Value> = document["Statement"].as_array().unwrap().iter().filter(removing).collect();
        assert_eq!(statements.len(), 2, "{document}");
        for statement in statements {
            assert_eq!(statement["Condition"]["Null"]["aws:ResourceTag/stored-ami:drill"], "false", "{statement}");
            assert_eq!(statement["Action"].as_array().unwrap().len(), 1);
        }
        assert!(DRILLED.ends_with("/stored-ami:drill"));
        assert!(!policy(&[P::Restore], &scope()).unwrap().to_string().contains("Condition"));
    }

    #[test]
    fn commands_that_read_snapshots_need_no_bucket() {
        let none = PolicyScope { bucket: None, ..scope() };
        let text = policy(&[P::Fingerprint, P::Prove], &none).unwrap().to_string();
        assert!(text.contains("ebs:GetSnapshotBlock") && !text.contains("s3:"), "{text}");
        assert!(policy(&[P::Prove, P::Verify], &none).unwrap_err().starts_with("--bucket"));
    }

    #[test]
    fn the_partition_and_the_bucket_are_in_the_arns() {
        let text = policy(&[P::Store], &scope()).unwrap().to_string();
        assert!(text.contains("arn:aws-us-gov:s3:::archive/*"));
        assert!(!text.contains("arn:aws:"));
    }

    #[test]
    fn a_copy_by_the_server_reads_the_source() {
        let from = PolicyPlace { bucket: "backup".into(), prefix: "a*/".into() };
        let scope = PolicyScope { copied_from: Some(from), ..scope() };
        let document = policy(&[P::CopyDestination], &scope).unwrap();
        let statements = document["Statement"].as_array().unwrap();
        let found = statements.iter().find(|statement| statement["Sid"] == "CopiedObjects").unwrap();
        assert_eq!(found["Action"], json!(["s3:GetObject", "s3:GetObjectVersion"]));
        assert_eq!(found["Resource"], "arn:aws-us-gov:s3:::backup/a${*}/*");
        assert!(!policy(&[P::Store], &scope).unwrap().to_string().contains("backup"), "only for a copy");
        let wrong = PolicyPlace { bucket: "back*".into(), prefix: String::new() };
        let scope = PolicyScope { copied_from: Some(wrong), ..scope };
        assert!(policy(&[P::CopyDestination], &scope).unwrap_err().starts_with("--source-bucket"));
    }

    #[test]
    fn what_stands_for_more_than_itself_is_escaped_or_refused() {
        let of = |change: fn(&mut PolicyScope)| {
            let mut scope = scope();
            change(&mut scope);
            policy(&[P::Restore], &scope).map(|document| document.to_string())
        };
        let text = of(|scope| scope.prefix = "a*b?c${aws:username}/".into()).unwrap();
        assert!(text.contains("arn:aws-us-gov:s3:::archive/a${*}b${?}c${$}{aws:username}/*\""), "{text}");
        assert!(of(|scope| scope.alias = Some("/golden/ami".into())).unwrap().contains(":parameter/golden/ami\""));
        for alias in ["*", "/a/*", "/", "", "a?", "${aws:username}", "a:b", "a b"] {
            let mut scope = scope();
            scope.alias = Some(alias.into());
            assert!(policy(&[P::Restore], &scope).unwrap_err().starts_with("--alias"), "{alias}");
        }
        for account in ["12", "x", "1234567890123", "12345678901*", "", "**"] {
            let mut scope = scope();
            scope.account = account.into();
            assert!(policy(&[P::Restore], &scope).unwrap_err().starts_with("--account"), "{account}");
        }
        for region in ["eu-west-1:*", "eu-*", "", "?", "EU"] {
            let mut scope = scope();
            scope.region = region.into();
            assert!(policy(&[P::Restore], &scope).unwrap_err().starts_with("--region"), "{region}");
        }
        for partition in ["aws:*", "*", "", "x", "aws-*"] {
            let mut scope = scope();
            scope.partition = partition.into();
            assert!(policy(&[P::Restore], &scope).unwrap_err().starts_with("--partition"), "{partition}");
        }
        for bucket in ["a", "arch*", "arch?ve", "${aws:username}", "a:b"] {
            let mut scope = scope();
            scope.bucket = Some(bucket.into());
            assert!(policy(&[P::Restore], &scope).unwrap_err().starts_with("--bucket"), "{bucket}");
        }
    }
}
