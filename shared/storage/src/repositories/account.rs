//! The records of a user, as the account page shows them.

use super::stored::decode;
use crate::consents::{self, ListedConsent};
use crate::grants::{self, ListedGrant};
use crate::passkeys::{self, StoredPasskey};
use crate::second_factor::{self, SecondFactor};
use crate::sessions::{self, ListedSession};
use crate::users::{self, User};
use crate::{Kind, Record, Records, Unavailable, sign_out};
use types::{Subject, Timestamp};

/// The records of a user. A record that cannot be read is left out.
#[derive(Clone, Debug)]
pub struct Account {
    /// The user; `None` if the listing does not show the user yet.
    pub user: Option<User>,
    /// The live sessions, the latest sign-in first.
    pub sessions: Vec<ListedSession>,
    /// The consents.
    pub consents: Vec<ListedConsent>,
    /// The live grants.
    pub grants: Vec<ListedGrant>,
    /// The passkeys, the oldest first.
    pub passkeys: Vec<StoredPasskey>,
    /// The second factor.
    pub second_factor: Option<SecondFactor>,
}

/// Reads the records of a user. The listing may lag. Round trips: 1 for each 100 records of the user.
pub async fn read(records: &dyn Records, subject: &Subject, now: Timestamp) -> Result<Account, Unavailable> {
    let mut all = sign_out::all_owned(records, &users::owner(subject)).await?;
    let mut of_kind = |kind| -> Vec<Record> { all.extract_if(.., |record| record.key.is(kind)).collect() };
    let user = of_kind(Kind::User).into_iter().find_map(|record| decode(&record.key, &record.state).ok());
    Ok(Account {
        user,
        sessions: sessions::listed(of_kind(Kind::Session), now),
        consents: consents::listed(of_kind(Kind::Consent), subject),
        grants: grants::listed(of_kind(Kind::Grant), now),
        passkeys: passkeys::listed(of_kind(Kind::Passkey)),
        second_factor: second_factor::listed(of_kind(Kind::SecondFactor)),
    })
}
