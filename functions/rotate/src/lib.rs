//! Scheduled: generates the next signing keys in time, retires old ones, and seals the keys again after a change of
//! the deployment secret.

use keys::Occasion;
use provider::{Actor, AuditEvent, Context, HandlerError, ScheduledFunction, ScheduledRun};

/// The function.
pub const FUNCTION: ScheduledFunction = ScheduledFunction::new("rotate", |this, context| Box::pin(run(this, context)));

/// Runs the rotation that is due. Frequent or concurrent runs do no harm: one run wins. Round trips: 1; 2 if keys change.
pub async fn run(this: &ScheduledRun, context: &Context) -> Result<(), HandlerError> {
    let rotation = context.rotate_keys(Occasion::Due, this.now).await?;
    if rotation.changed {
        AuditEvent::KeysRotated { actor: Actor::Schedule }.record_scheduled(this);
    }
    Ok(())
}

#[cfg(target_arch = "wasm32")]
#[worker::event(scheduled)]
async fn scheduled(_: worker::ScheduledEvent, env: worker::Env, _: worker::ScheduleContext) {
    provider::worker::run_scheduled(FUNCTION, &env).await;
}
