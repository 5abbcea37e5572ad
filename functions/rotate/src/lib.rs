//! Scheduled: makes the next signing keys in time, retires old ones, and seals them anew when the secret changed.

use jose::{KeySet, Policy};
use protocol::Timestamp;
use runtime::{Context, Fault};
use std::time::Duration;
use storage::signing_keys;

/// How long a new key is published before it signs: longer than the JWK Set may be cached and this runs apart.
const PUBLISH_AHEAD: Duration = Duration::from_secs(2 * 86_400);

/// Does what is due. Running it often, or in several places at once, does no harm: one of them wins.
pub async fn run(now: Timestamp, context: &Context) -> Result<(), Fault> {
    let records = context.records.as_ref();
    let Some(stored) = signing_keys::find(records).await? else {
        context.keyring(now).await?;
        return Ok(());
    };
    let set = KeySet::from_stored(&stored.keys, &context.secrets).map_err(Fault::new)?;
    let lifetimes = &context.config.lifetimes;
    let policy = Policy {
        rotate_every: context.config.key_rotation,
        publish_ahead: PUBLISH_AHEAD,
        token_lifetime: lifetimes.access_token.max(lifetimes.id_token).max(Duration::from_secs(86_400)),
    };
    if let Some(next) = set.rotated(jose::platform(), now, policy).await.map_err(Fault::new)? {
        let sealed = next.to_stored(&context.secrets).map_err(Fault::new)?;
        signing_keys::replace(records, stored.generation, &sealed).await?;
    }
    Ok(())
}

#[cfg(target_arch = "wasm32")]
#[worker::event(scheduled)]
async fn scheduled(event: worker::ScheduledEvent, env: worker::Env, _: worker::ScheduleContext) {
    runtime::worker::run_scheduled("rotate", &event, &env, |now, context| Box::pin(run(now, context))).await;
}
