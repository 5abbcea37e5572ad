//! The DynamoDB API on this machine, for the Lambda functions under the emulator. It serves until it is interrupted.

mod server;

use anyhow::Result;
use clap::Parser;
use std::path::PathBuf;

/// Serve the DynamoDB API on the loopback address.
#[derive(Debug, Parser)]
#[command(name = "dynamodb-emulator", version)]
struct Arguments {
    /// Port to listen on; 0 takes any free port.
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Directory of the store. Without it, the store is in memory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let server = server::Server::start(arguments.data.as_deref(), Some(arguments.port))?;
        println!("{}", server.endpoint());
        interrupted().await?;
        server.shutdown().await
    })
}

/// Waits for a signal that ends the process.
async fn interrupted() -> Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminated.recv() => {}
        }
        Ok(())
    }
    #[cfg(not(unix))]
    Ok(tokio::signal::ctrl_c().await?)
}
