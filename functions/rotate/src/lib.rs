//! Scheduled: generates the next signing keys in time, retires old ones, and seals the keys again after a change of
//! the deployment secret.

use keys::Occasion;
use provider::{Actor, AuditEvent, Context, HandlerError, ScheduledFunction};
use types::Timestamp;

/// The function.
pub const FUNCTION: ScheduledFunction = ScheduledFunction::new("rotate", |now, context| Box::pin(run(now, context)));

/// Runs the rotation that is due. Frequent or concurrent runs do no harm: one run wins.
pub async fn run(now: Timestamp, context: &Context) -> Result<(), HandlerError> {
    let before = context.keyring(now).await?;
    let after = context.rotate_keys(Occasion::Due, now).await?;
    if *before.key_set().published() != after {
        AuditEvent::KeysRotated { actor: Actor::Schedule }.record_scheduled(context, "rotate", now);
    }
    Ok(())
}

#[cfg(target_arch = "wasm32")]
#[worker::event(scheduled)]
async fn scheduled(event: worker::ScheduledEvent, env: worker::Env, _: worker::ScheduleContext) {
    provider::worker::run_scheduled(FUNCTION, &event, &env).await;
}
