//! `mqttspec-broker`: the reference broker as a process.

mod listeners;

use clap::Parser;
use listeners::{ListenError, ListenOptions};
use model::cloud::AccessKey;
use model::device::{Registry, Secret};
use model::profile::Profile;
use reference_broker::cloud::{CloudApi, ServerSubscription};
use reference_broker::{Broker, Logins, Offer, Settings};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::{env, fs};
use tokio::net::TcpListener;
use transport::Entrance;

/// A wrong command line: clap's own code, and that of a file that it names.
const USAGE: u8 = 2;
/// The address cannot be listened on.
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

  mqttspec-broker --tls 127.0.0.1:8883 --test-certificates certificates
  mosquitto_sub -h localhost -p 8883 --cafile certificates/ca.pem -t 'greetings/#'

  mqttspec-broker --profile platform --registry devices.yaml

  ACCESS_KEY_SECRET=.. mqttspec-broker --profile platform --api 127.0.0.1:8080 --amqp 127.0.0.1:5672 \
      --access-key-id AKEXAMPLE01 --access-key-secret-env ACCESS_KEY_SECRET

A registry names products and devices; a secret stands there or in a variable of the environment:
  products:
    - productKey: a1B2c3D4e5F
      productSecret: product-secret-01         # only for devices that register
      registration: [register, regnwl]
      devices:
        - {deviceName: lamp-01, deviceSecret: s3cr3t-of-lamp-01}
        - {deviceName: lamp-02, deviceSecret: {variable: LAMP_02_SECRET}, disabled: true}

Once it is ready it prints one line to standard error: `listening on ADDRESS, profile NAME`.
It ends with 0 on Ctrl-C and SIGTERM, 2 on a wrong command line, certificate or registry, 3 if it cannot listen on the address."
)]
struct Arguments {
    #[command(flatten)]
    listen: ListenOptions,

    /// Dialect to speak
    #[arg(long, value_name = "NAME", default_value = "standard", value_parser = profile)]
    profile: &'static Profile,

    /// Products and devices that may log in, with their secrets (YAML); without it a platform believes every device
    #[arg(long, value_name = "FILE")]
    registry: Option<PathBuf>,

    /// Serve the API of the cloud side here: Pub, BatchPub, PubBroadcast, RRpc, DisableThing, EnableThing, QueryDeviceLog
    #[arg(long, value_name = "ADDRESS:PORT", requires = "access_key_id")]
    api: Option<SocketAddr>,

    /// The same over HTTPS; needs a certificate, as --tls does
    #[arg(long, value_name = "ADDRESS:PORT", requires = "access_key_id")]
    api_tls: Option<SocketAddr>,

    /// Give business servers what devices publish here, over AMQP 1.0; over TLS if there is a certificate
    #[arg(long, value_name = "ADDRESS:PORT", requires = "access_key_id")]
    amqp: Option<SocketAddr>,

    /// Consumer groups of business servers; separate several with commas
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "DEFAULT_GROUP")]
    consumer_group: Vec<String>,

    /// Access key of business servers
    #[arg(long, value_name = "ID", requires = "access_key_secret_env")]
    access_key_id: Option<String>,

    /// The environment variable that holds the secret of the access key
    #[arg(long, value_name = "VARIABLE", requires = "access_key_id")]
    access_key_secret_env: Option<String>,

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
            failure.exit_code().into()
        }
    }
}

/// Why the broker does not run.
enum Failure {
    /// The command line or a file that it names is wrong.
    Usage(String),
    Runtime(io::Error),
    Listen(ListenError),
}

impl Failure {
    fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) => USAGE,
            Failure::Listen(error) if error.is_usage() => USAGE,
            Failure::Listen(_) | Failure::Runtime(_) => UNAVAILABLE,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Usage(message) => f.write_str(message),
            Failure::Runtime(error) => write!(f, "cannot start: {error}"),
            Failure::Listen(error) => write!(f, "{error}"),
        }
    }
}

/// A line on standard error; a reader that is gone is no reason to stop.
fn remark(line: &dyn std::fmt::Display) {
    // There is nobody left to tell.
    let _ = writeln!(io::stderr(), "{line}");
}

async fn serve(arguments: &Arguments) -> Result<(), Failure> {
    let listeners = arguments.listen.bind().await.map_err(Failure::Listen)?;
    if let Some(warning) = arguments.listen.warning() {
        remark(&warning);
    }
    let all = Settings::from_profile(arguments.profile);
    let mut settings = arguments.without.iter().fold(all, |settings, offer| settings.without(*offer));
    settings.secret_source = random_secret();
    match (&arguments.registry, &settings.logins) {
        (Some(_), Logins::Clients) => {
            let says = format!("--registry is for a platform: profile {} has no devices", arguments.profile.name);
            return Err(Failure::Usage(says));
        }
        (Some(file), _) => settings.logins = Logins::Registered(Arc::new(registry(file)?)),
        (None, Logins::Believed) => {
            remark(&"no --registry: every device is believed to be who it says, and clients need not be devices");
        }
        (None, _) => {}
    }
    let products = match &settings.logins {
        Logins::Registered(registry) => Some(Arc::clone(registry)),
        Logins::Clients | Logins::Believed => None,
    };
    let broker = Broker::new(settings);
    let cloud = cloud(arguments, &broker, products).await?;
    // From here on, whoever waits for the line below may also send a signal.
    let stopped = signalled().map_err(Failure::Runtime)?;
    remark(&format_args!("listening on {listeners}, profile {}", arguments.profile.name));
    tokio::select! {
        () = listeners.serve(&broker) => {}
        () = cloud => {}
        () = stopped => {}
    }
    Ok(())
}

/// The cloud side, as far as it is asked for. It ends only when the future is dropped.
async fn cloud(
    arguments: &Arguments,
    broker: &Broker,
    products: Option<Arc<Registry>>,
) -> Result<impl Future<Output = ()> + use<>, Failure> {
    let keys = match (&arguments.access_key_id, &arguments.access_key_secret_env) {
        (Some(id), Some(variable)) => {
            let secret = env::var(variable)
                .map_err(|error| Failure::Usage(format!("--access-key-secret-env {variable}: {error}")))?;
            vec![AccessKey::new(id, Secret::new(secret))]
        }
        _ => Vec::new(),
    };
    let api = CloudApi::new(broker.clone(), keys.clone(), products);
    let plain = match arguments.api {
        Some(address) => Some((bind(address, "API").await?, Entrance::default())),
        None => None,
    };
    let encrypted = match arguments.api_tls {
        Some(address) => {
            let entrance = arguments.listen.tls_entrance().map_err(Failure::Listen)?;
            Some((bind(address, "API over TLS").await?, entrance))
        }
        None => None,
    };
    let amqp = match arguments.amqp {
        Some(address) => {
            let entrance = arguments.listen.amqp_entrance().map_err(Failure::Listen)?;
            let scheme = if entrance.tls.is_some() { "AMQP over TLS" } else { "AMQP" };
            let listener = bind(address, scheme).await?;
            let groups = arguments.consumer_group.iter().cloned();
            Some((ServerSubscription::new(broker.clone(), keys, groups), listener, entrance))
        }
        None => None,
    };
    Ok(async move {
        let asked = async |at: Option<(TcpListener, Entrance)>| match at {
            Some((listener, entrance)) => api.listen_behind(listener, entrance).await,
            None => std::future::pending().await,
        };
        let amqp = async {
            match amqp {
                Some((subscription, listener, entrance)) => subscription.listen_behind(listener, entrance).await,
                None => std::future::pending().await,
            }
        };
        tokio::join!(asked(plain), asked(encrypted), amqp);
    })
}

/// A listener, announced on standard error.
async fn bind(address: SocketAddr, what: &str) -> Result<TcpListener, Failure> {
    let failed = |error| Failure::Listen(ListenError::Address(address, error));
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    remark(&format_args!("{what} on {}", listener.local_addr().map_err(failed)?));
    Ok(listener)
}

fn registry(file: &Path) -> Result<Registry, Failure> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
    let environment = |variable: &str| env::var(variable).ok();
    Registry::load(&name, &text, &environment).map_err(|error| Failure::Usage(error.to_string()))
}

/// A secret that nobody can guess. The keys of the standard library's hash tables come from the system's own source, and the hash
/// is a keyed one: without the key its values tell nothing of each other.
fn random_secret() -> Secret {
    let state = RandomState::new();
    let parts: Vec<String> = (0..4_u64).map(|part| format!("{:016x}", state.hash_one(part))).collect();
    Secret::new(parts.concat())
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
