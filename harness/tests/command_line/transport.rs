//! TLS, WebSocket and transport commands, against reference brokers that listen on the loopback interface.

use crate::program::{folder, mqttspec};
use model::profile::Profile;
use reference_broker::{Broker, Settings};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use transport::tls::{Identity, ServerTls};
use transport::{Entrance, FILES, LOCAL_NAMES, Scheme, TestAuthority, TestCertificate, Tls, Validity};

/// Far beyond what anything here takes.
const BOUND: Duration = Duration::from_secs(60);

/// A part of the cases that is quick in real time.
const SOME: [&str; 2] = ["--run", "standard/publish/qos1/acknowledged-and-delivered/**"];

/// A reference broker behind this entrance; its port. It lives as long as the test program.
fn listening(entrance: Entrance) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback has free ports");
    let port = listener.local_addr().expect("it is bound").port();
    listener.set_nonblocking(true).expect("it is a socket");
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let profile = Profile::builtin("standard").expect("it is built in");
            let listener = tokio::net::TcpListener::from_std(listener).expect("it does not block");
            Broker::new(Settings::from_profile(profile)).listen_behind(listener, entrance).await;
        });
    });
    port
}

fn with(certificate: TestCertificate) -> Entrance {
    Entrance { tls: Some(Tls::Modern(ServerTls::new(certificate.identity))), web_socket: false }
}

/// A folder with test certificates, and the authority that made them.
fn certificates() -> (PathBuf, TestAuthority) {
    let folder = folder();
    let authority = TestAuthority::new().expect("there is randomness");
    authority.write(&folder).expect("the folder is ours");
    (folder, authority)
}

/// The broker of these certificates: over TLS, and over WebSocket if wanted.
fn secure(authority: &TestAuthority, web_socket: bool) -> u16 {
    let certificate = authority.for_server(&LOCAL_NAMES, Validity::Valid).expect("the names are names");
    listening(Entrance { web_socket, ..with(certificate) })
}

fn run(url: &str, more: &[&str]) -> crate::program::Finished {
    mqttspec(&[&["run", url, "--timeout", "10"], &SOME[..], more].concat())
}

#[test]
fn every_scheme_carries_cases() {
    let (folder, authority) = certificates();
    let ca = folder.join(FILES[0]).display().to_string();
    for scheme in Scheme::ALL {
        let port = match scheme.has_tls() {
            true => secure(&authority, scheme.has_web_socket()),
            false => listening(Entrance { tls: None, web_socket: scheme.has_web_socket() }),
        };
        let cafile: &[&str] = if scheme.has_tls() { &["--cafile", &ca] } else { &[] };
        let finished = run(&format!("{scheme}://localhost:{port}"), cafile);
        assert_eq!(finished.code, Some(0), "{scheme}: {finished:?}");
        assert!(finished.last_line().starts_with("3 passed, 0 failed"), "{scheme}: {finished:?}");
    }
}

#[test]
fn cases_about_websocket_apply_where_it_is_and_say_why_not_elsewhere() {
    let frames = ["--run", "standard/transport/websocket/**", "--verbose"];
    let port = listening(Entrance { tls: None, web_socket: true });
    let finished = mqttspec(&[&["run", &format!("ws://127.0.0.1:{port}")], &frames[..]].concat());
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.last_line().starts_with("14 passed, 0 failed"), "{finished:?}");

    let port = listening(Entrance::default());
    let finished = mqttspec(&[&["run", &format!("mqtt://127.0.0.1:{port}")], &frames[..]].concat());
    assert_eq!(finished.code, Some(4), "{finished:?}");
}

#[test]
fn each_wrong_certificate_has_a_clear_error_and_exit_code_3() {
    let (folder, authority) = certificates();
    let (other, _) = certificates();
    let ca = folder.join(FILES[0]).display().to_string();
    let others = other.join(FILES[0]).display().to_string();
    let port = secure(&authority, false);
    let url = format!("mqtts://localhost:{port}");
    let wrong_ca = "signed by an authority that is not trusted here: --cafile FILE names the one to trust";
    run(&url, &["--cafile", &others]).fails_with(3, wrong_ca);
    run(&url, &[]).fails_with(3, wrong_ca);

    let certificate = |names: &[&str], validity| authority.for_server(names, validity).expect("the names are names");
    let elsewhere = listening(with(certificate(&["elsewhere.example"], Validity::Valid)));
    let finished = run(&format!("mqtts://localhost:{elsewhere}"), &["--cafile", &ca]);
    finished.fails_with(3, "its certificate is not for `localhost`, but for");
    finished.fails_with(3, "elsewhere.example");

    let expired = listening(with(certificate(&LOCAL_NAMES, Validity::Expired)));
    run(&format!("mqtts://localhost:{expired}"), &["--cafile", &ca]).fails_with(3, "its certificate has expired");

    let plain = listening(Entrance::default());
    run(&format!("mqtts://localhost:{plain}"), &["--cafile", &ca]).fails_with(3, "is it the port with TLS?");
    run(&format!("ws://localhost:{plain}"), &[]).fails_with(3, "a WebSocket");
}

#[test]
fn a_broker_that_asks_for_a_certificate_gets_it() {
    let (folder, authority) = certificates();
    let file = |name: &str| folder.join(name).display().to_string();
    let server = authority.for_server(&LOCAL_NAMES, Validity::Valid).expect("the names are names");
    server.write(&folder, "strict").expect("the folder is ours");
    let identity =
        Identity::from_files(&folder.join("strict.pem"), &folder.join("strict.key")).expect("both are there");
    let tls = ServerTls::for_clients_of(&folder.join(FILES[0]), identity).expect("it is an authority");
    let port = listening(Entrance { tls: Some(Tls::Modern(tls)), web_socket: false });
    let (url, ca) = (format!("mqtts://localhost:{port}"), file("ca.pem"));
    run(&url, &["--cafile", &ca]).fails_with(3, "--cert FILE --key FILE give it one");
    let finished = run(&url, &["--cafile", &ca, "--cert", &file("client.pem"), "--key", &file("client.key")]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    run(&url, &["--cafile", &ca, "--cert", &file("client.pem"), "--key", &file("server.key")])
        .fails_with(2, "server.key: it is not the key of the certificate");
    run(&url, &["--cafile", &file("absent.pem")]).fails_with(2, "absent.pem: it cannot be read");
}

#[test]
fn insecure_is_said_loudly_everywhere() {
    let (folder, authority) = certificates();
    let port = secure(&authority, false);
    let json = folder.join("report.json").display().to_string();
    let finished = run(&format!("mqtts://localhost:{port}"), &["--insecure", "--json", &json]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let report = std::fs::read_to_string(&json).expect("it was written");
    for place in [&finished.stderr, &finished.stdout, &report] {
        assert!(place.contains("--insecure: no certificate was checked"), "{place}");
    }
    run("mqtt://localhost:1", &["--insecure"]).fails_with(2, "--insecure is for TLS: give an mqtts:// or wss:// URL");
}

#[test]
fn the_embedded_broker_is_played_over_tls_too() {
    let finished = mqttspec(&["run", "--profile", "platform", "--transport", "mqtts"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let finished = mqttspec(&[&["run", "--transport", "wss"], &SOME[..]].concat());
    assert!(finished.last_line().starts_with("3 passed, 0 failed"), "{finished:?}");
    mqttspec(&["run", "--transport", "carrier-pigeon"])
        .fails_with(2, "is no transport: write one of mqtt, mqtts, ws, wss");
}

#[test]
fn a_version_of_tls_is_told_from_the_others() {
    let (_, authority) = certificates();
    let port = secure(&authority, false);
    let finished = mqttspec(&["probe", "--tls", &format!("localhost:{port}")]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let refused = "refused with the alert";
    for (version, said) in [("1.0", refused), ("1.1", refused), ("1.2", "negotiated"), ("1.3", "negotiated")] {
        assert!(finished.stdout.contains(&format!("TLS {version}  {said}")), "{}", finished.stdout);
    }
    let plain = listening(Entrance::default());
    let finished = mqttspec(&["probe", "--tls", &format!("localhost:{plain}"), "--timeout", "1"]);
    finished.fails_with(3, "does not speak TLS");
}

/// Whether a program is there; without it a test has nothing to test, and says so. Where CI runs it has to be there.
fn has(program: &str, version: &str) -> bool {
    let found = Command::new(program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let must_be_there = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(found || !must_be_there, "{program} is not installed");
    if !found {
        println!("{program} is not installed: nothing is tested");
    }
    found
}

/// A process that does not outlive the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn mosquitto_with_tls_is_told_rightly() {
    if !has("mosquitto", "-h") {
        return;
    }
    let (folder, _) = certificates();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback has free ports");
    let port = listener.local_addr().expect("it is bound").port();
    drop(listener);
    let file = |name: &str| folder.join(name).display().to_string();
    let config = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\ncafile {}\ncertfile {}\nkeyfile {}\n",
        file("ca.pem"),
        file("server.pem"),
        file("server.key")
    );
    std::fs::write(folder.join("mosquitto.conf"), config).expect("the folder is ours");
    let mut command = Command::new("mosquitto");
    command.args(["-c", &file("mosquitto.conf")]).stdout(Stdio::null()).stderr(Stdio::null());
    // Where root starts it, it would become somebody who cannot read the key.
    std::fs::OpenOptions::new()
        .append(true)
        .open(folder.join("mosquitto.conf"))
        .and_then(|mut file| std::io::Write::write_all(&mut file, b"user root\n"))
        .expect("the folder is ours");
    let _mosquitto = Running(command.spawn().expect("it was found"));
    let deadline = Instant::now() + BOUND;
    let finished = loop {
        let finished = mqttspec(&["probe", "--tls", &format!("localhost:{port}")]);
        if finished.code == Some(0) || Instant::now() > deadline {
            break finished;
        }
    };
    // What 1.0 and 1.1 come to is a matter of the system's OpenSSL.
    for version in ["1.2", "1.3"] {
        assert!(finished.stdout.contains(&format!("TLS {version}  negotiated")), "{finished:?}");
    }
    let finished = run(&format!("mqtts://localhost:{port}"), &["--cafile", &file("ca.pem")]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn openssl_s_client_carries_a_run_and_its_words_stand_in_errors() {
    if !has("openssl", "version") {
        return;
    }
    let (folder, authority) = certificates();
    let (other, _) = certificates();
    let port = secure(&authority, false);
    let url = format!("mqtt://localhost:{port}");
    let s_client = |ca: &PathBuf| {
        let ca = ca.join(FILES[0]).display().to_string();
        format!("openssl s_client -quiet -verify_quiet -verify_return_error -connect {{host}}:{{port}} -CAfile {ca}")
    };
    let finished = run(&url, &["--transport-command", &s_client(&folder), "--command-encrypts"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let finished = run(&url, &["--transport-command", &s_client(&other), "--command-encrypts"]);
    finished.fails_with(3, "the transport command says: ");
    finished.fails_with(3, "certificate verify failed");
}

#[test]
fn socat_carries_a_run() {
    if !has("socat", "-V") {
        return;
    }
    let port = listening(Entrance::default());
    let url = format!("mqtt://127.0.0.1:{port}");
    let finished = run(&url, &["--transport-command", "socat - TCP:{host}:{port}"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    mqttspec(&["run", "--transport-command", "socat - TCP:{host}:{port}"]).fails_with(2, "give its URL");
}

#[test]
fn openssl_s_client_reaches_connack_with_1_2_and_1_3() {
    if !has("openssl", "version") {
        return;
    }
    let (folder, authority) = certificates();
    let port = secure(&authority, false);
    let ca = folder.join(FILES[0]).display().to_string();
    for (version, gets_through) in [("-tls1", false), ("-tls1_1", false), ("-tls1_2", true), ("-tls1_3", true)] {
        let s_client = format!(
            "openssl s_client -quiet -verify_quiet {version} -cipher ALL:@SECLEVEL=0 -connect {{host}}:{{port}} -CAfile {ca}"
        );
        let finished =
            run(&format!("mqtt://localhost:{port}"), &["--transport-command", &s_client, "--command-encrypts"]);
        match gets_through {
            true => assert_eq!(finished.code, Some(0), "{version}: {finished:?}"),
            false => finished.fails_with(3, "alert"),
        }
    }
}
