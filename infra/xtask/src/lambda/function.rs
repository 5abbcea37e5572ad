//! A function and its instances: one event at a time in each, more of them when more events come at once.

use super::runtime_api::{Invocation, RuntimeApi};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, Semaphore, oneshot};

/// How many instances of one function run at once; more events than that wait.
const MOST_INSTANCES: usize = 8;

/// A function.
pub(crate) struct Function {
    name: String,
    binary: PathBuf,
    memory: u64,
    timeout: Duration,
    settings: BTreeMap<String, String>,
    log: File,
    places: Semaphore,
    idle: Mutex<Vec<Instance>>,
    crash: Notify,
}

/// One process that runs the function.
pub(super) struct Instance {
    child: Child,
    api: RuntimeApi,
}

impl Function {
    /// A function without an instance. `settings` are the variables that the template gives it; `log` is where its
    /// instances write.
    pub(super) fn new(
        function: &crate::template::Function,
        binary: PathBuf,
        settings: BTreeMap<String, String>,
        log: File,
    ) -> Self {
        Self {
            name: function.name.clone(),
            binary,
            memory: function.memory,
            timeout: Duration::from_secs(function.timeout),
            settings,
            log,
            places: Semaphore::new(MOST_INSTANCES),
            idle: Mutex::new(Vec::new()),
            crash: Notify::new(),
        }
    }

    /// Runs the function for one event: in an idle instance, else in a new one, else when one becomes free. An
    /// instance that fails to answer is ended.
    pub(super) async fn invoke(&self, event: Bytes) -> Result<Bytes> {
        let _place = self.places.acquire().await?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut instance = match idle {
            Some(instance) => instance,
            None => self.start().await?,
        };
        let answer = self.run_in(&mut instance, event).await?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
        match answer {
            Ok(answer) => Ok(answer),
            Err(said) => bail!("{} failed: {said}", self.name),
        }
    }

    /// The same function, with the same name and settings, made of another program.
    pub(crate) fn made_of(&self, binary: PathBuf) -> Result<Self> {
        Ok(Self {
            name: self.name.clone(),
            binary,
            memory: self.memory,
            timeout: self.timeout,
            settings: self.settings.clone(),
            log: self.log.try_clone()?,
            places: Semaphore::new(MOST_INSTANCES),
            idle: Mutex::new(Vec::new()),
            crash: Notify::new(),
        })
    }

    /// Ends the instances that are at work, in mid-sentence.
    pub(super) fn crash(&self) {
        self.crash.notify_waiters();
    }

    /// A new instance.
    pub(super) async fn start(&self) -> Result<Instance> {
        let api = RuntimeApi::start().await?;
        let child = Command::new(&self.binary)
            .env_clear()
            .envs(self.environment())
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .stdin(Stdio::null())
            .stdout(self.log.try_clone()?)
            .stderr(self.log.try_clone()?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}; was it built?", self.binary.display()))?;
        Ok(Instance { child, api })
    }

    /// One event in one instance: the answer, or what the function says went wrong.
    pub(super) async fn run_in(&self, instance: &mut Instance, event: Bytes) -> Result<Result<Bytes, String>> {
        let (sender, receiver) = oneshot::channel();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let invocation = Invocation {
            id: super::random_id()?,
            function: self.name.clone(),
            deadline: now.saturating_add(self.timeout).as_millis(),
            event,
            answer: sender,
        };
        instance.api.invocations.send(invocation).await?;
        tokio::select! {
            biased;
            answer = receiver => Ok(answer?),
            () = self.crash.notified() => bail!("{} is ended by plan", self.name),
            status = instance.child.wait() => bail!("{} ended: {}", self.name, status?),
            () = tokio::time::sleep(self.timeout) => bail!("{} did not answer within {:?}", self.name, self.timeout),
        }
    }

    /// What Lambda gives the process of a custom runtime.
    fn environment(&self) -> BTreeMap<String, String> {
        let task_root = self.binary.parent().unwrap_or(&self.binary).display().to_string();
        let lambda = [
            ("_HANDLER", "bootstrap"),
            ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &self.memory.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", &format!("latchkey-{}", self.name)),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/latchkey"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", &format!("latchkey-{}", self.name)),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_REGION", "us-east-1"),
            // Names the function to the table, which holds it against the function's policy.
            ("AWS_ACCESS_KEY_ID", &self.name),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "session"),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
            ("LAMBDA_TASK_ROOT", &task_root),
            ("LANG", "en_US.UTF-8"),
            ("LD_LIBRARY_PATH", "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"),
            ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
            ("TZ", ":UTC"),
        ];
        let lambda = lambda.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        lambda.chain(self.settings.clone()).collect()
    }
}

impl Instance {
    /// The process, while it runs.
    pub(super) fn process(&self) -> Option<u32> {
        self.child.id()
    }
}
