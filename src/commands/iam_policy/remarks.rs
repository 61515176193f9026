use super::PolicyCommand;

/// Where the use of KMS keys is needed, which the policy cannot contain, because the keys are not known.
const OF_TASKS: &str = "encrypted snapshots, EBS encryption by default and SSE-KMS also need the use of their KMS keys; \
                        AWS's guide does not name the actions";
const OF_READS: &str = "objects under SSE-KMS also need kms:Decrypt on their key, and kms:GenerateDataKey for \
                        GetObjectAttributes";
const OF_WRITES: &str = "a bucket that encrypts with SSE-KMS also needs the use of its KMS key";
const OF_BLOCKS: &str = "encrypted snapshots also need kms:Decrypt on their key";
const TASKS: &str = "the task statements are what AWS's guide lists for the caller; they cannot be tested without \
                     starting a task";
const LOCK: &str = "`copy --object-lock-…` also needs s3:PutObjectRetention or s3:PutObjectLegalHold to write the lock, \
                    and s3:GetObjectRetention or s3:GetObjectLegalHold to see it";
const BATCH: &str = "the role of `batch` must trust batchoperations.s3.amazonaws.com; under SSE-KMS it also needs \
                     kms:Decrypt and kms:GenerateDataKey. If --to of `batch submit` is another bucket, give it to `policy` too: --to BUCKET";
const DRILL: &str = "a drill may remove whatever has the tag stored-ami:drill, and ec2:CreateTags lets the role set it \
                     on any AMI or snapshot: the condition prevents mistakes; it does not stop an attacker who has the role";

/// What these commands need besides the policy, or what the policy does not prevent, for the user.
pub fn remarks(commands: &[PolicyCommand]) -> Vec<&'static str> {
    let mut remarks = Vec::new();
    for remark in commands.iter().flat_map(|command| of(*command)) {
        if !remarks.contains(remark) {
            remarks.push(*remark);
        }
    }
    remarks
}

fn of(command: PolicyCommand) -> &'static [&'static str] {
    match command {
        PolicyCommand::IsStored => &[],
        PolicyCommand::Inspect
        | PolicyCommand::Verify
        | PolicyCommand::Audit
        | PolicyCommand::SafeToDelete
        | PolicyCommand::CopySource
        | PolicyCommand::Compare
        | PolicyCommand::Thaw
        | PolicyCommand::Doctor => &[OF_READS],
        PolicyCommand::CopyDestination => &[OF_READS, OF_WRITES, LOCK],
        PolicyCommand::PreflightStore
        | PolicyCommand::PreflightRestore
        | PolicyCommand::Store
        | PolicyCommand::Restore => &[OF_TASKS, TASKS],
        PolicyCommand::Drill => &[OF_TASKS, OF_BLOCKS, TASKS, DRILL],
        PolicyCommand::Fingerprint | PolicyCommand::Prove => &[OF_BLOCKS],
        PolicyCommand::Batch | PolicyCommand::BatchRole => &[BATCH],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_the_remarks_that_concern_it_and_each_once() {
        assert_eq!(remarks(&[PolicyCommand::Audit, PolicyCommand::Verify]), [OF_READS]);
        assert_eq!(remarks(&[PolicyCommand::IsStored]), [""; 0]);
        assert_eq!(remarks(&[PolicyCommand::Store, PolicyCommand::CopyDestination]).len(), 5);
    }
}
