//! Sends the mails of the outbox: right after they were written where the platform calls it then, and on its schedule those that
//! failed or were left. It alone knows a sender, finds the recipients, and makes the links in mails.

mod compose;
mod sender;

use futures::future::join_all;
use platform::{clock, entropy};
use protocol::mail::{Mail, Message};
use provider::{AuditEvent, Context, HandlerError, ScheduledFunction, ScheduledRun};
use sender::Sender;
use std::time::Duration;
use storage::outbox::{self, Claim, Waiting};
use storage::{Bucket, Unavailable};

/// The function.
pub const FUNCTION: ScheduledFunction = ScheduledFunction::new("mail", |this, context| Box::pin(run(this, context)))
    .on_written(|keys, this, context| Box::pin(send_written(keys, this, context)));

/// Buckets that are read, and mails that are sent, at the same time.
const AT_ONCE: usize = 16;

/// Mails of a bucket in one run.
const PAGE: u32 = 50;

/// Time after which a run begins no further attempt. It leaves half of the minute until the next run.
const TIME: Duration = Duration::from_secs(30);

/// The longest body of a call by another Worker, in bytes.
#[cfg(target_arch = "wasm32")]
const MAX_CALL: usize = 64 * 1024;

/// Sends the mails that are due. Frequent or concurrent runs do no harm: one run claims each mail. A failure does not stop the other
/// mails; the first failure is returned.
pub async fn run(this: &ScheduledRun, context: &Context) -> Result<(), HandlerError> {
    let Some(sender) = Sender::of(context)? else { return Ok(()) };
    let is_over = clock::time_limit(TIME);
    let mut done = Ok(());
    // Each run begins at another place, so that a backlog delays each mail by the same time.
    let mut buckets: Vec<Bucket> = Bucket::all().collect();
    let first = this.now.as_secs().div_euclid(60).wrapping_mul(AT_ONCE as u64).rem_euclid(256);
    buckets.rotate_left(usize::try_from(first).unwrap_or_default());
    for some in buckets.chunks(AT_ONCE) {
        if is_over() {
            break;
        }
        let sent = join_all(some.iter().map(|bucket| send_bucket(*bucket, &sender, this, context, &is_over)));
        done = sent.await.into_iter().fold(done, Result::and);
    }
    done
}

/// Sends mails that were just written, by the keys of their records. A failed attempt is repeated on the schedule.
pub async fn send_written(keys: &[String], this: &ScheduledRun, context: &Context) -> Result<(), HandlerError> {
    let Some(sender) = Sender::of(context)? else { return Ok(()) };
    let ids = keys.iter().filter_map(|key| outbox::id_of_key(key));
    let sent = join_all(ids.map(|id| async {
        let id = id;
        match outbox::find(context.records.as_ref(), &id).await? {
            Some(waiting) => attempt(&waiting, &sender, this, context).await,
            None => Ok(()),
        }
    }));
    Ok(sent.await.into_iter().collect::<Result<(), Unavailable>>()?)
}

async fn send_bucket(
    bucket: Bucket,
    sender: &Sender<'_>,
    this: &ScheduledRun,
    context: &Context,
    is_over: &(impl Fn() -> bool + Sync),
) -> Result<(), HandlerError> {
    let (found, _) = outbox::list(context.records.as_ref(), bucket, None, PAGE).await?;
    let mut done = Ok(());
    for record in found {
        if is_over() {
            break;
        }
        let sent = match Waiting::read(record) {
            Ok(waiting) => attempt(&waiting, sender, this, context).await,
            Err(unreadable) => Err(unreadable.into()),
        };
        done = done.and(sent);
    }
    Ok(done?)
}

/// Claims a mail and sends it, if it is due. Round trips: 2 beside those of [`compose::message`]; 0 if it is not due. Errors: faults of the
/// store. A failure of the sender is logged.
async fn attempt(
    waiting: &Waiting,
    sender: &Sender<'_>,
    this: &ScheduledRun,
    context: &Context,
) -> Result<(), Unavailable> {
    let (records, mail) = (context.records.as_ref(), waiting.mail());
    let write_id = entropy::name().map_err(|error| Unavailable { reason: error.to_string() })?;
    let is_last = match outbox::claim(records, waiting, this.now, &write_id).await? {
        Claim::NotNow => return Ok(()),
        Claim::TooOld => {
            give_up(mail, this);
            return outbox::remove(records, &mail.id).await;
        }
        Claim::Attempt { is_last } => is_last,
    };
    let is_first = waiting.attempts() == 0;
    let sent = match compose::messages(mail, is_first, this.now, context).await {
        // None if there is no such user or address, or it has got enough mails: the outcome is in no log.
        Ok(messages) => send_all(&messages, sender, context).await,
        Err(error) => Err(error.to_string()),
    };
    let Err(reason) = sent else { return outbox::remove(records, &mail.id).await };
    let line = serde_json::json!({
        "at": this.now.as_millis(), "event": "mail", "kind": mail.content.kind(), "mail": mail.id, "reason": reason
    });
    (context.log)(&line.to_string());
    if is_last {
        give_up(mail, this);
        return outbox::remove(records, &mail.id).await;
    }
    Ok(())
}

async fn send_all(messages: &[Message], sender: &Sender<'_>, context: &Context) -> Result<(), String> {
    for message in messages {
        sender.send(message, context).await?;
    }
    Ok(())
}

fn give_up(mail: &Mail, this: &ScheduledRun) {
    AuditEvent::MailGivenUp { kind: mail.content.kind() }.record_scheduled(this);
}

#[cfg(target_arch = "wasm32")]
#[worker::event(scheduled)]
async fn scheduled(_: worker::ScheduledEvent, env: worker::Env, _: worker::ScheduleContext) {
    sender::bind(&env);
    provider::worker::run_scheduled(FUNCTION, &env).await;
}

/// Answers a call by another Worker of the deployment, which names the records that it wrote. This Worker has no route.
#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    sender::bind(&env);
    let body = platform::worker::read_body(&request, MAX_CALL).await.unwrap_or_default();
    let keys: Vec<String> = types::json::decode(&body).unwrap_or_default();
    provider::worker::run_written(FUNCTION, &keys, &env).await;
    worker::Response::ok("")
}
