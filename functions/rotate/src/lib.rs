//! Scheduled: makes the next signing keys in time, retires old ones, and seals them anew when the secret changed.

use keys::Occasion;
use provider::{Context, HandlerError};
use types::Timestamp;

/// Does what is due. Running it often, or in several places at once, does no harm: one of them wins.
pub async fn run(now: Timestamp, context: &Context) -> Result<(), HandlerError> {
    context.rotate_keys(Occasion::Due, now).await?;
    Ok(())
}

#[cfg(target_arch = "wasm32")]
#[worker::event(scheduled)]
async fn scheduled(event: worker::ScheduledEvent, env: worker::Env, _: worker::ScheduleContext) {
    provider::worker::run_scheduled("rotate", &event, &env, |now, context| Box::pin(run(now, context))).await;
}
