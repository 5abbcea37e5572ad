//! The tokens of this server: issued and verified.

mod issue;
mod verify;

pub use issue::{ExchangeBinding, IdTokenBinding, TokenIssuer};
pub use verify::{ActiveToken, IdTokenHint, PresentedIdToken};
