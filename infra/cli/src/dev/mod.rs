//! `latchkey dev`: every function in one process, with a store, demo data and a playground.

mod api;
mod banner;
mod commands;
mod log;
mod mail;
mod mutual_tls;
mod pages;
mod provider;
mod test_clock;

use crate::args::DevArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::{clock, config, secret};
use keys::Secret;
use log::Log;
use mutual_tls::MutualTls;
use platform::local::Listener;
use platform::version;
use provider::Provider;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use storage::Records;
use storage_sqlite::{OpenError, SqliteRecords};
use test_clock::TestClock;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// Time between two removals of expired records.
const EXPIRY: Duration = Duration::from_secs(600);

/// Serves until it is interrupted.
pub(crate) fn run(args: &DevArgs, output: Output) -> Result<(), Failure> {
    event_loop(args.threads)?.block_on(serve(args, output))
}

/// Returns the executor. With one thread, everything runs on the thread of the caller.
fn event_loop(threads: u16) -> Result<Runtime, Failure> {
    let mut builder = if threads == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder
        .worker_threads(threads.into())
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("The server cannot start: {error}.")))
}

async fn serve(args: &DevArgs, output: Output) -> Result<(), Failure> {
    let (listeners, port) = listen(args, args.port).await?;
    let mut listeners: Vec<Listener> = listeners.into_iter().map(Listener::plain).collect();
    let data = (!args.memory).then_some(args.data.as_path());
    // The store locks the data directory, so it comes first.
    let store = data.map(open_store).transpose()?;
    // A secret in the environment is read with the other settings, so that one error names all invalid settings.
    let secret = match (secret::is_set(), data) {
        (true, _) => None,
        (false, Some(data)) => Some(secret::read_or_create(data)?),
        (false, None) => Some(Secret::generate().map_err(Failure::new)?),
    };
    let records: Arc<dyn Records> = match &store {
        Some(store) => Arc::<SqliteRecords>::clone(store),
        None => Arc::new(storage::memory::Memory::default()),
    };
    let mutual_tls = match args.mtls {
        None => None,
        Some(tls_port) => {
            let (tcp, tls_port) = listen(args, tls_port).await?;
            let in_memory = || std::env::temp_dir().join(format!("latchkey-dev-{port}"));
            let made = MutualTls::make(data.map_or_else(in_memory, Path::to_path_buf).join("mtls"))?;
            listeners.extend(tcp.into_iter().map(|tcp| Listener::with_tls(tcp, made.tls())));
            Some((made, format!("https://localhost:{tls_port}")))
        }
    };
    let log = Log::start().map_err(|error| Failure::new(format!("The log cannot start: {error}.")))?;
    let sink = if args.quiet { Box::new(|_: &str| {}) } else { log.sink() };
    sink(&version::start_line("dev", clock::now()));
    let mtls_origin = mutual_tls.as_ref().map(|(_, origin)| origin.as_str());
    let provider = Arc::new(Provider::new(port, mtls_origin, secret.as_ref(), records, sink)?);
    provider.check_secret(clock::now()).await?;
    if let Some(file) = &args.config {
        provider.apply_configuration(config::sections(file)?).await?;
    }
    provider.check_configuration(clock::now()).await?;
    provider.write_demo_data().await?;

    let unknown = unknown_settings();
    let banner = banner::Banner {
        issuer: provider.issuer(),
        port,
        data,
        mutual_tls: mutual_tls.as_ref().map(|(made, origin)| (made.directory(), origin.as_str())),
        profile: provider.profile(),
        is_open: !args.host.is_loopback(),
        unknown_settings: &unknown,
    };
    output.print(&banner.json(), || banner.text());

    let (stop, stopped) = oneshot::channel();
    tokio::spawn(async move {
        interrupted().await;
        let _ = stop.send(());
        // A second signal does not wait for open requests.
        interrupted().await;
        std::process::exit(130);
    });
    for function in functions::SCHEDULED {
        let provider = Arc::clone(&provider);
        tokio::spawn(async move {
            loop {
                provider.run_scheduled(function, clock::now()).await;
                tokio::time::sleep(function.row.schedule().map_or(Duration::MAX, |schedule| schedule.every)).await;
            }
        });
    }
    if let Some(store) = store {
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(EXPIRY).await;
                // Records that cannot be removed now are removed the next time.
                let _ = store.remove_expired(clock::now()).await;
            }
        });
    }
    let application = Arc::new(TestClock::new(provider, args.test_clock));
    platform::local::serve(listeners, application, clock::now, async { drop(stopped.await) }).await;
    log.close();
    Ok(())
}

async fn listen(args: &DevArgs, port: u16) -> Result<(Vec<tokio::net::TcpListener>, u16), Failure> {
    let option = if args.port == port { "--port " } else { "--mtls=" };
    let listeners = platform::local::listen(args.host, port).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            let other = port.checked_add(1).unwrap_or(8787);
            Failure::new(format!("Port {port} is taken by another process."))
                .remedy(format!("Stop that process, or choose another port: latchkey dev {option}{other}"))
        }
        ErrorKind::PermissionDenied => Failure::new(format!("This user may not listen on port {port}."))
            .remedy(format!("Choose a port from 1024 on: latchkey dev {option}8787")),
        _ => Failure::new(format!("The server cannot listen on {} port {port}: {error}.", args.host)),
    })?;
    let address = listeners.first().and_then(|listener| listener.local_addr().ok());
    Ok((listeners, address.map_or(port, |address| address.port())))
}

/// Opens the store in the data directory, which is created and kept out of version control.
fn open_store(data: &Path) -> Result<Arc<SqliteRecords>, Failure> {
    let remedy = "Choose another directory with --data, or use a store in memory with --memory.";
    let cannot = |what: String| Failure::new(what).remedy(remedy);
    let ignore = data.join(".gitignore");
    std::fs::create_dir_all(data)
        .and_then(|()| if ignore.exists() { Ok(()) } else { std::fs::write(&ignore, "*\n") })
        .map_err(|error| cannot(format!("{} cannot be written: {error}.", data.display())))?;
    match SqliteRecords::open(data) {
        Ok(store) => Ok(Arc::new(store)),
        Err(OpenError::InUse(data)) => Err(cannot(format!("Another server is using {}.", data.display()))),
        Err(error) => Err(cannot(error.to_string())),
    }
}

/// Returns the environment variables that look like settings but are unknown, such as misspelt ones.
fn unknown_settings() -> Vec<String> {
    const OF_COMMANDS: [&str; 6] = [
        "LATCHKEY_ADMIN_KEY_FILE",
        "LATCHKEY_PORT",
        "LATCHKEY_URL",
        "LATCHKEY_TABLE",
        "LATCHKEY_TOOLS",
        "LATCHKEY_PREBUILT",
    ];
    let known = |name: &str| {
        ::provider::settings::SETTINGS.iter().any(|setting| setting.name == name)
            || resource_server::SETTINGS.iter().any(|setting| setting.name == name)
            || OF_COMMANDS.contains(&name)
            || name.starts_with("LATCHKEY_TEST_")
    };
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| name.starts_with("LATCHKEY_") && !known(name)).collect()
}

/// Waits for a signal that ends the process.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
