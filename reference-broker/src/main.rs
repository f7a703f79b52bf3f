//! `mqttspec-broker`: the reference broker as a process.

use clap::Parser;
use model::profile::Profile;
use reference_broker::{Broker, Offer, Settings};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use tokio::net::TcpListener;

/// The address cannot be listened on. A wrong command line is 2, clap's own code.
const UNAVAILABLE: u8 = 3;

/// The reference broker of mqttspec: MQTT 3.1, 3.1.1 and 5.0 on one port.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
Example:
  mqttspec-broker --listen 127.0.0.1:1883 --profile standard
  mosquitto_sub -p 1883 -t 'greetings/#' &
  mosquitto_pub -p 1883 -t greetings/world -m hello

Once it is ready it prints one line to standard error: `listening on ADDRESS, profile NAME`.
It ends with 0 on Ctrl-C and SIGTERM, 2 on a wrong command line, 3 if it cannot listen on the address."
)]
struct Arguments {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:1883")]
    listen: SocketAddr,

    /// Dialect to speak
    #[arg(long, value_name = "NAME", default_value = "standard", value_parser = profile)]
    profile: &'static Profile,

    /// Leave something out that the dialect has; separate several with commas
    #[arg(long, value_name = "OFFER", value_enum, value_delimiter = ',')]
    without: Vec<Offer>,
}

fn profile(name: &str) -> Result<&'static Profile, String> {
    Profile::builtin(name).ok_or_else(|| format!("there is {}", Profile::builtin_names().join(", ")))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = runtime.map_err(Failure::Runtime).and_then(|runtime| runtime.block_on(serve(&arguments)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            remark(&format_args!("error: {failure}"));
            UNAVAILABLE.into()
        }
    }
}

/// Why the broker does not run.
enum Failure {
    Runtime(io::Error),
    Listen(SocketAddr, io::Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Runtime(error) => write!(f, "cannot start: {error}"),
            Failure::Listen(address, error) if error.kind() == io::ErrorKind::AddrInUse => {
                write!(f, "cannot listen on {address}: {error}; --listen with port 0 takes a free port")
            }
            Failure::Listen(address, error) => write!(f, "cannot listen on {address}: {error}"),
        }
    }
}

/// A line on standard error; a reader that is gone is no reason to stop.
fn remark(line: &dyn std::fmt::Display) {
    // There is nobody left to tell.
    let _ = writeln!(io::stderr(), "{line}");
}

async fn serve(arguments: &Arguments) -> Result<(), Failure> {
    let failed = |error| Failure::Listen(arguments.listen, error);
    let listener = TcpListener::bind(arguments.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let all = Settings::from_profile(arguments.profile);
    let settings = arguments.without.iter().fold(all, |settings, offer| settings.without(*offer));
    let broker = Broker::new(settings);
    // From here on, whoever waits for the line below may also send a signal.
    let stopped = signalled().map_err(Failure::Runtime)?;
    remark(&format_args!("listening on {address}, profile {}", arguments.profile.name));
    tokio::select! {
        () = broker.listen(listener) => {}
        () = stopped => {}
    }
    Ok(())
}

/// Resolves on Ctrl-C or SIGTERM.
#[cfg(unix)]
fn signalled() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Resolves on Ctrl-C.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature on all systems")]
fn signalled() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler there is no way to be stopped gently: wait for the rough one.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}
