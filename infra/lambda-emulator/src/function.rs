//! A function and its instances. An instance handles one event at a time; concurrent events get an instance each.

use crate::runtime_api::{Invocation, RuntimeApi};
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

/// The number of instances of one function that run at once. Further events wait.
const MOST_INSTANCES: usize = 8;

/// The definition of a function.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The name, by which routes refer to the function.
    pub name: String,
    /// The name on AWS, such as `STACK-NAME`: in the ARN and in `AWS_LAMBDA_FUNCTION_NAME`.
    pub full_name: String,
    /// The log group.
    pub log_group: String,
    /// The program, which speaks to the Lambda Runtime API.
    pub binary: PathBuf,
    /// Memory, in MB. The function receives the figure in its environment; the emulator does not enforce it.
    pub memory: u64,
    /// The time after which a run is ended.
    pub timeout: Duration,
    /// Environment variables, beside those that Lambda sets.
    pub environment: BTreeMap<String, String>,
    /// The start of the keys of new items that invoke the function, through the stream of the table.
    pub stream: Option<String>,
}

/// A function.
pub struct Function {
    definition: Definition,
    log: File,
    slots: Semaphore,
    idle: Mutex<Vec<Instance>>,
    crash: Notify,
}

/// One process of a function.
pub struct Instance {
    child: Child,
    api: RuntimeApi,
}

impl Function {
    /// Returns a function without instances. Its instances write to `log`.
    pub fn new(definition: Definition, log: File) -> Self {
        Self {
            definition,
            log,
            slots: Semaphore::new(MOST_INSTANCES),
            idle: Mutex::new(Vec::new()),
            crash: Notify::new(),
        }
    }

    /// Returns the same function with another program.
    pub fn with_binary(&self, binary: PathBuf) -> Result<Self> {
        Ok(Self::new(Definition { binary, ..self.definition.clone() }, self.log.try_clone()?))
    }

    /// Runs the function for one event: in an idle instance, else in a new one, else as soon as one is idle. Ends an
    /// instance that does not answer.
    pub async fn invoke(&self, event: Bytes) -> Result<Bytes> {
        let _slot = self.slots.acquire().await?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut instance = match idle {
            Some(instance) => instance,
            None => self.start().await?,
        };
        let answer = self.run_in(&mut instance, event).await?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
        match answer {
            Ok(answer) => Ok(answer),
            Err(reported) => bail!("{} failed: {reported}", self.definition.name),
        }
    }

    /// True if a new item with this key invokes the function.
    pub(crate) fn follows(&self, key: &str) -> bool {
        self.definition.stream.as_ref().is_some_and(|start| key.starts_with(start))
    }

    /// Ends the instances that are handling an event.
    pub(crate) fn crash(&self) {
        self.crash.notify_waiters();
    }

    /// Starts an instance.
    pub async fn start(&self) -> Result<Instance> {
        let api = RuntimeApi::start().await?;
        let binary = &self.definition.binary;
        let child = Command::new(binary)
            .env_clear()
            .envs(self.environment())
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .stdin(Stdio::null())
            .stdout(self.log.try_clone()?)
            .stderr(self.log.try_clone()?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}: build the function first", binary.display()))?;
        Ok(Instance { child, api })
    }

    /// Runs the function for one event in one instance. Returns the answer, or the error that the function reported.
    pub async fn run_in(&self, instance: &mut Instance, event: Bytes) -> Result<Result<Bytes, String>> {
        let (sender, receiver) = oneshot::channel();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let Definition { name, full_name, timeout, .. } = &self.definition;
        let invocation = Invocation {
            id: crate::random_id()?,
            function: full_name.clone(),
            deadline: now.saturating_add(*timeout).as_millis(),
            event,
            answer: sender,
        };
        instance.api.invocations.send(invocation).await?;
        tokio::select! {
            biased;
            answer = receiver => Ok(answer?),
            () = self.crash.notified() => bail!("{name} was ended by the plan of faults"),
            status = instance.child.wait() => bail!("{name} ended: {}", status?),
            () = tokio::time::sleep(*timeout) => bail!("{name} did not answer within {timeout:?}"),
        }
    }

    /// Returns the environment that Lambda gives to the process of a custom runtime.
    fn environment(&self) -> BTreeMap<String, String> {
        let Definition { name, full_name, log_group, binary, memory, environment, .. } = &self.definition;
        let task_root = binary.parent().unwrap_or(binary).display().to_string();
        let lambda = [
            ("_HANDLER", "bootstrap"),
            ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", full_name),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", log_group),
            ("AWS_LAMBDA_LOG_STREAM_NAME", full_name),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_REGION", "us-east-1"),
            // The table identifies the function by it, and applies the function's policy.
            ("AWS_ACCESS_KEY_ID", name),
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
        lambda.chain(environment.clone()).collect()
    }
}

impl Instance {
    /// The process id, while the process runs.
    pub fn process(&self) -> Option<u32> {
        self.child.id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(binary: &str) -> Function {
        let definition = Definition {
            name: "token".to_owned(),
            full_name: "stack-token".to_owned(),
            log_group: "/aws/lambda/stack".to_owned(),
            binary: binary.into(),
            memory: 512,
            timeout: Duration::from_secs(5),
            environment: BTreeMap::from([("SETTING".to_owned(), "value".to_owned())]),
            stream: None,
        };
        Function::new(definition, File::options().write(true).open("/dev/null").unwrap())
    }

    #[test]
    fn the_environment_is_that_of_lambda_and_of_the_definition() {
        let environment = function("/opt/functions/token/bootstrap").environment();
        assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "stack-token");
        assert_eq!(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "512");
        assert_eq!(environment["LAMBDA_TASK_ROOT"], "/opt/functions/token");
        assert_eq!(environment["SETTING"], "value");
    }

    #[tokio::test]
    async fn a_program_that_ends_or_is_missing_is_reported() {
        let error = function("/bin/false").invoke(Bytes::new()).await.unwrap_err();
        assert!(error.to_string().starts_with("token ended: "), "{error}");
        let error = function("/nowhere/bootstrap").invoke(Bytes::new()).await.unwrap_err();
        assert_eq!(error.to_string(), "starting /nowhere/bootstrap: build the function first");
    }
}
