use std::collections::BTreeMap;

/// What the account holds besides AMIs and snapshots.
#[derive(Debug, Clone, Default)]
pub struct AccountState {
    /// State of keys by ARN, such as `Enabled` or `PendingDeletion`. A key that is not here does not exist, but for
    /// that of `alias/aws/ebs`.
    pub keys: BTreeMap<String, String>,
    /// Values of quotas by service and code, where they differ from the lab's.
    pub quotas: BTreeMap<(String, String), f64>,
    /// Parameters by Region and name.
    pub(crate) parameters: BTreeMap<(String, String), Parameter>,
}

#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) value: String,
    pub(crate) data_type: String,
    pub(crate) version: u64,
    /// A write that is still to be checked.
    pub(crate) pending: Option<String>,
}
