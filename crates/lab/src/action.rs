use serde::{Deserialize, Serialize};

macro_rules! actions {
    ($($name:ident => $iam:literal),+ $(,)?) => {
        /// A call of EC2, EBS, STS, KMS, SSM, Service Quotas or S3 Control that the lab knows, by its name in the API.
        #[allow(missing_docs, reason = "the variants are the APIs' own names")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Action {
            $($name,)+
        }

        impl Action {
            /// Every call.
            pub(crate) const ALL: &[Self] = &[$(Action::$name,)+];

            pub(crate) fn named(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Action::$name),)+
                    _ => None,
                }
            }

            /// The IAM action that a caller needs (IAM Service Authorization Reference).
            pub fn iam(self) -> &'static str {
                match self {
                    $(Action::$name => $iam,)+
                }
            }
        }
    };
}

actions! {
    CompleteSnapshot => "ebs:CompleteSnapshot",
    GetSnapshotBlock => "ebs:GetSnapshotBlock",
    ListChangedBlocks => "ebs:ListChangedBlocks",
    ListSnapshotBlocks => "ebs:ListSnapshotBlocks",
    PutSnapshotBlock => "ebs:PutSnapshotBlock",
    StartSnapshot => "ebs:StartSnapshot",
    CopyImage => "ec2:CopyImage",
    CreateRestoreImageTask => "ec2:CreateRestoreImageTask",
    CreateStoreImageTask => "ec2:CreateStoreImageTask",
    CreateTags => "ec2:CreateTags",
    DeleteSnapshot => "ec2:DeleteSnapshot",
    DeleteTags => "ec2:DeleteTags",
    DeregisterImage => "ec2:DeregisterImage",
    DescribeImageAttribute => "ec2:DescribeImageAttribute",
    DescribeImages => "ec2:DescribeImages",
    DescribeInstances => "ec2:DescribeInstances",
    DescribeRegions => "ec2:DescribeRegions",
    DescribeSnapshotAttribute => "ec2:DescribeSnapshotAttribute",
    DescribeSnapshots => "ec2:DescribeSnapshots",
    DescribeStoreImageTasks => "ec2:DescribeStoreImageTasks",
    DescribeTags => "ec2:DescribeTags",
    DescribeVolumes => "ec2:DescribeVolumes",
    DisableEbsEncryptionByDefault => "ec2:DisableEbsEncryptionByDefault",
    EnableEbsEncryptionByDefault => "ec2:EnableEbsEncryptionByDefault",
    GetEbsDefaultKmsKeyId => "ec2:GetEbsDefaultKmsKeyId",
    GetEbsEncryptionByDefault => "ec2:GetEbsEncryptionByDefault",
    ListImagesInRecycleBin => "ec2:ListImagesInRecycleBin",
    ListSnapshotsInRecycleBin => "ec2:ListSnapshotsInRecycleBin",
    ModifyEbsDefaultKmsKeyId => "ec2:ModifyEbsDefaultKmsKeyId",
    RegisterImage => "ec2:RegisterImage",
    CreateJob => "s3:CreateJob",
    DescribeJob => "s3:DescribeJob",
    ListJobs => "s3:ListJobs",
    UpdateJobStatus => "s3:UpdateJobStatus",
    AssumeRole => "sts:AssumeRole",
    DecodeAuthorizationMessage => "sts:DecodeAuthorizationMessage",
    GetCallerIdentity => "sts:GetCallerIdentity",
    DescribeKey => "kms:DescribeKey",
    DeleteParameter => "ssm:DeleteParameter",
    GetParameter => "ssm:GetParameter",
    GetParameters => "ssm:GetParameters",
    PutParameter => "ssm:PutParameter",
    GetServiceQuota => "servicequotas:GetServiceQuota",
    ListServiceQuotas => "servicequotas:ListServiceQuotas",
}
