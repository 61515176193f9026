/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleToAssume {
    /// ARN of the role.
    pub arn: String,
    /// External id that the role requires.
    pub external_id: Option<String>,
}
