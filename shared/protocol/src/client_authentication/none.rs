//! `none`: a public client names itself by its `client_id` and proves nothing (RFC 6749 §2.1).

use super::{Evidence, Verification};

/// Accepts a request without evidence. A public client that sends a secret is misconfigured and is rejected.
pub(super) fn check(evidence: &Evidence) -> Option<Verification<'_>> {
    matches!(evidence, Evidence::None).then_some(Verification::Complete)
}
