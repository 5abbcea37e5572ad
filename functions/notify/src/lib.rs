//! Scheduled: tells clients that sessions have ended, those that could not be told at once (OpenID Connect Back-Channel
//! Logout §2.5).

use protocol::Timestamp;
use runtime::{Context, Fault, back_channel};

/// Tries whatever is due. Running it often, or in several places at once, does no harm: each is claimed by one.
pub async fn run(now: Timestamp, context: &Context) -> Result<(), Fault> {
    back_channel::retry(context, now).await
}

#[cfg(target_arch = "wasm32")]
#[worker::event(scheduled)]
async fn scheduled(event: worker::ScheduledEvent, env: worker::Env, _: worker::ScheduleContext) {
    runtime::worker::run_scheduled("notify", &event, &env, |now, context| Box::pin(run(now, context))).await;
}
