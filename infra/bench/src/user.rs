//! The calls of one user's first day.

use crate::Load;
use protocol::rate_limit::Window;
use protocol::{DecisionId, SessionGroup, StoredClient, Username};
use serde_json::json;
use storage::{Unavailable, clients, consents, counters, directory, grants, markers, sessions, sign_out, users};
use types::{ClientId, Subject, Timestamp};

/// Users who share a client. Instances cache clients, so a popular client is not read more often than another.
const USERS_OF_CLIENT: u64 = 100;

/// Users who share the address of a network.
const USERS_OF_NETWORK: u64 = 4;

/// Refreshes of one user.
const REFRESHES: u32 = 3;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const WINDOW: Window = Window { number: 1, ends_at: NOW };

/// Makes the calls of a user who is entered, signs in, gives a client consent, redeems a code, refreshes and signs out.
pub(crate) async fn first_day(load: &Load, user: u64) -> Result<(), Unavailable> {
    let (one, two) = (mixed(user), mixed(!user));
    let name = format!("user-{user}");
    let invalid = || Unavailable { reason: format!("the names of user {user} are invalid") };
    let subject = Subject::parse(&format!("{one:016x}{two:016x}")).ok_or_else(invalid)?;
    let username = Username::prepare_ascii(&name).ok_or_else(invalid)?;
    let client = ClientId::parse(&format!("client-{}", user.div_euclid(USERS_OF_CLIENT))).ok_or_else(invalid)?;
    let mut random = [0; 16];
    for (to, from) in random.iter_mut().zip(one.to_le_bytes().into_iter().chain(two.to_le_bytes())) {
        *to = from;
    }

    // The operator enters the user, and now and then a client.
    directory::enter(load, &username, &subject).await?;
    users::find(load, &subject).await?;
    if user.checked_rem(USERS_OF_CLIENT) == Some(0) {
        let settings = serde_json::from_value(json!({ "client_id": client })).map_err(|_| invalid())?;
        clients::save(load, &StoredClient::new(settings, Vec::new())).await?;
    }

    // Sign-in: the counters of network and account, the credential, the session.
    let network = format!("network {}", user.div_euclid(USERS_OF_NETWORK));
    counters::add(load, &network, WINDOW, 1).await?;
    counters::add(load, &name, WINDOW, 1).await?;
    users::find_credential(load, &username).await?;
    let session = sessions::new_id(&subject, random);
    sessions::find(load, session).await?;

    // /authorize, the consent page, the consent with its grant.
    for _ in 0..3 {
        sessions::find(load, session).await?;
    }
    consents::find(load, &subject, &client, None).await?;
    consents::find(load, &subject, &client, None).await?;
    let grant = grants::new_id(&subject, random);
    grants::find(load, grant).await?;

    // The code, the refreshes, UserInfo, the marker of a client assertion.
    for _ in 0..=REFRESHES {
        grants::find(load, grant).await?;
    }
    users::find(load, &subject).await?;
    let id = DecisionId::new([0, 0], random).name();
    markers::use_once(load, "assertion", &id, NOW, &id).await?;

    // Sign-out.
    sign_out::begin(load, &subject, Some(SessionGroup::new(random)), NOW, &id).await?;
    sessions::end(load, session, NOW).await
}

/// Returns a pseudo-random number of a user: SplitMix64 (Steele, Lea, Flood 2014).
const fn mixed(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
