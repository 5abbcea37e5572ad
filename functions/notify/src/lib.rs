//! Scheduled: ends the sessions and grants that a sign-out missed. Repeats logout notifications that failed (OpenID
//! Connect Back-Channel Logout §2.5).

use platform::entropy;
use provider::back_channel::{self, LogoutNotifications};
use provider::{Context, HandlerError, ScheduledFunction};
use storage::sign_out::{self, DueSignOut};
use types::Timestamp;

/// The function.
pub const FUNCTION: ScheduledFunction =
    ScheduledFunction::new("notify", |this, context| Box::pin(run(this.now, context)));

/// Runs all due work. Frequent or concurrent runs do no harm: one run claims each notification, and a second end of a
/// session changes nothing. A failure does not stop the other work; the first failure is returned.
pub async fn run(now: Timestamp, context: &Context) -> Result<(), HandlerError> {
    let ended = end_leftovers(now, context).await;
    ended.and(back_channel::retry(context, now).await)
}

async fn end_leftovers(now: Timestamp, context: &Context) -> Result<(), HandlerError> {
    let mut done = Ok(());
    for sign_out in sign_out::due(context.records.as_ref(), now).await {
        done = done.and(match sign_out {
            Ok(due) => end(due, now, context).await,
            Err(unreadable) => Err(unreadable.into()),
        });
    }
    done
}

async fn end(due: DueSignOut, now: Timestamp, context: &Context) -> Result<(), HandlerError> {
    let records = context.records.as_ref();
    let leftovers = sign_out::leftovers(records, &due.sign_out).await?;
    let notifications = LogoutNotifications::begin(context, &due.sign_out.subject, &leftovers.clients(), now).await?;
    leftovers.end(due, records, now, &entropy::name()?).await?;
    notifications.send(context, now).await;
    Ok(())
}

#[cfg(target_arch = "wasm32")]
#[worker::event(scheduled)]
async fn scheduled(_: worker::ScheduledEvent, env: worker::Env, _: worker::ScheduleContext) {
    provider::worker::run_scheduled(FUNCTION, &env).await;
}
