//! The five verbs as values, to count calls and to plan faults.

/// One of the five verbs of [`Records`](crate::Records).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// `create`.
    Create,
    /// `get`.
    Get,
    /// `advance`.
    Advance,
    /// `delete`.
    Delete,
    /// `list`.
    List,
}
