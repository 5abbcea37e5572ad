//! Scheduled: ends what signing somebody out missed, and tells clients that sessions have ended, those that
//! could not be told at once (OpenID Connect Back-Channel Logout §2.5).

use protocol::Timestamp;
use runtime::back_channel::{self, Notices};
use runtime::{Context, Fault, entropy};
use storage::sign_out;

/// Does whatever is due. Running it often, or in several places at once, does no harm: a notice is claimed by one, and
/// what is ended twice is ended.
pub async fn run(now: Timestamp, context: &Context) -> Result<(), Fault> {
    end_overlooked(now, context).await?;
    back_channel::retry(context, now).await
}

async fn end_overlooked(now: Timestamp, context: &Context) -> Result<(), Fault> {
    let records = context.records.as_ref();
    for sign_out in sign_out::settled(records, now).await? {
        let overlooked = sign_out::overlooked(records, &sign_out).await?;
        let notices = Notices::begin(context, &sign_out.subject, &overlooked.parties(), now).await?;
        overlooked.end(&sign_out, records, now, &entropy::name()?).await?;
        notices.send(context, now).await;
    }
    Ok(())
}

#[cfg(target_arch = "wasm32")]
#[worker::event(scheduled)]
async fn scheduled(event: worker::ScheduledEvent, env: worker::Env, _: worker::ScheduleContext) {
    runtime::worker::run_scheduled("notify", &event, &env, |now, context| Box::pin(run(now, context))).await;
}
