//! The password policy of a deployment.

/// The password policy of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// The fewest characters of a new password.
    pub minimum: usize,
    /// The greatest work of an imported password hash: memory in KiB times passes. No password of the deployment takes longer
    /// to compare.
    pub hash_work: u32,
    /// URL of a range API of breached passwords, without the five hexadecimal digits at its end.
    pub breached_url: Option<String>,
}
