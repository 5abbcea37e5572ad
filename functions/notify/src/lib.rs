//! Scheduled: ends the sessions and grants that a sign-out missed, and grants beyond the limit of their client. Repeats logout notifications that failed (OpenID
//! Connect Back-Channel Logout §2.5).

use futures::future::join_all;
use platform::{clock, entropy};
use provider::back_channel::{self, LogoutNotifications, RunLimits};
use provider::{AuditEvent, Context, HandlerError, ScheduledFunction, ScheduledRun};
use std::time::Duration;
use storage::grant_checks::GrantCheck;
use storage::sign_out::{self, DueSignOut, DueWork};
use types::Timestamp;

/// The function.
pub const FUNCTION: ScheduledFunction = ScheduledFunction::new("notify", |this, context| Box::pin(run(this, context)));

/// Sign-outs that are searched for leftovers at the same time.
const AT_ONCE: usize = 16;

/// Time after which a run begins no further search. The sign-outs that are left are due in the next run.
const SEARCH: Duration = Duration::from_secs(20);

/// Runs all due work, within the limits of one run. Frequent or concurrent runs do no harm: one run claims each
/// notification, and a second end of a session changes nothing. A failure does not stop the other work; the first failure
/// is returned.
pub async fn run(this: &ScheduledRun, context: &Context) -> Result<(), HandlerError> {
    let ended = end_due(this, context).await;
    ended.and(back_channel::retry(context, this, RunLimits::default()).await)
}

async fn end_due(this: &ScheduledRun, context: &Context) -> Result<(), HandlerError> {
    let began = clock::now();
    let mut due = sign_out::due(context.records.as_ref(), this.now).await.into_iter();
    let mut done = Ok(());
    loop {
        let some: Vec<_> = due.by_ref().take(AT_ONCE).collect();
        if some.is_empty() || clock::now().since(began) >= SEARCH {
            return done;
        }
        let ended = join_all(some.into_iter().map(|work| async move {
            match work {
                Ok(DueWork::SignOut(due)) => end(*due, this.now, context).await,
                Ok(DueWork::GrantCheck(check)) => end_excess(*check, this, context).await,
                Err(unreadable) => Err(unreadable.into()),
            }
        }));
        done = ended.await.into_iter().fold(done, Result::and);
    }
}

/// Ends what a sign-out missed. The clients are notified by the queue: a slow one does not delay the other sign-outs.
async fn end(due: DueSignOut, now: Timestamp, context: &Context) -> Result<(), HandlerError> {
    let records = context.records.as_ref();
    let leftovers = sign_out::leftovers(records, &due.sign_out).await?;
    LogoutNotifications::enqueue(context, &due.sign_out.subject, &leftovers.clients(), now).await?;
    leftovers.end(due, records, now, &entropy::name()?).await?;
    Ok(())
}

/// Ends the grants of a user beyond the limit for each client. Their clients get no notification: the session goes on.
async fn end_excess(check: GrantCheck, this: &ScheduledRun, context: &Context) -> Result<(), HandlerError> {
    let (subject, most) = (check.subject.clone(), context.config.max_grants);
    let ended = check.end_excess(context.records.as_ref(), most, this.now, &entropy::name()?).await?;
    for client in ended.keys() {
        AuditEvent::ExcessGrantsEnded { subject: &subject, client }.record_scheduled(this);
    }
    Ok(())
}

#[cfg(target_arch = "wasm32")]
#[worker::event(scheduled)]
async fn scheduled(_: worker::ScheduledEvent, env: worker::Env, _: worker::ScheduleContext) {
    provider::worker::run_scheduled(FUNCTION, &env).await;
}
