//! The five verbs, by name: for counting calls and for planning faults.

/// One of the five calls of [`Records`](crate::Records).
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
