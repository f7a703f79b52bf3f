//! Runs that a target file says all about, against a reference broker over TLS with an authority for each endpoint.

use crate::program::{Finished, command, finish, folder};
use model::cloud::AccessKey;
use model::device::{Registry, Secret};
use model::profile::Profile;
use reference_broker::cloud::{CloudApi, ServerSubscription};
use reference_broker::{Broker, Logins, Settings};
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use transport::{Entrance, TestAuthority, Tls};

const KEY: &str = "s3cr3t-of-key";

/// A port of the loopback interface that a runtime can listen on.
fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback has free ports");
    listener.set_nonblocking(true).expect("it is a socket");
    let port = listener.local_addr().expect("it is bound").port();
    (listener, port)
}

/// TLS of an authority of its own, which the file of this name is about.
fn entrance(folder: &Path, name: &str) -> Entrance {
    let authority = TestAuthority::new().expect("there is randomness");
    fs::write(folder.join(name), authority.certificate()).expect("the folder is ours");
    let tls = Tls::Modern(authority.server().expect("there is randomness"));
    Entrance { tls: Some(tls), web_socket: false }
}

/// A broker of the platform that knows the devices of the target file, which is also its registry. It lives as long as the
/// test program.
fn serve() -> PathBuf {
    let folder = folder();
    let [(mqtt, mqtt_port), (plain, plain_port), (api, api_port), (amqp, amqp_port)] = [(); 4].map(|()| listener());
    let [mqtt_way, api_way, amqp_way] = ["mqtt.pem", "api.pem", "amqp.pem"].map(|name| entrance(&folder, name));
    let mut text = format!(
        "endpoints:
  mqtt: mqtt://127.0.0.1:{plain_port}
  mqtts: {{url: mqtts://localhost:{mqtt_port}, cafile: mqtt.pem}}
  api: {{url: https://localhost:{api_port}, cafile: api.pem}}
  amqp: {{url: amqps://localhost:{amqp_port}, cafile: amqp.pem, consumerGroup: TESTS}}
accessKey: {{id: AKEXAMPLE01, secret: {{variable: MQTTSPEC_TEST_KEY}}}}
products:
  - productKey: pk
    devices:
"
    );
    for number in 0..40 {
        let _ = writeln!(text, "      - {{deviceName: lamp-{number}, deviceSecret: s3cr3t-of-lamp-{number}}}");
    }
    let file = folder.join("target.yaml");
    fs::write(&file, &text).expect("the folder is ours");
    let registry = Registry::load("target.yaml", &text, &|_| None).expect("a target file is a registry");
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = |listener| tokio::net::TcpListener::from_std(listener).expect("it does not block");
            let registry = Arc::new(registry);
            let profile = Profile::builtin("platform").expect("it is built in");
            let logins = Logins::Registered(Arc::clone(&registry));
            let broker = Broker::new(Settings { logins, ..Settings::from_profile(profile) });
            let keys = vec![AccessKey::new("AKEXAMPLE01", Secret::new(KEY))];
            let cloud = CloudApi::new(broker.clone(), keys.clone(), Some(registry));
            let messages = ServerSubscription::new(broker.clone(), keys, ["TESTS".to_owned()]);
            tokio::join!(
                broker.listen(listener(plain)),
                broker.listen_behind(listener(mqtt), mqtt_way),
                cloud.listen_behind(listener(api), api_way),
                messages.listen_behind(listener(amqp), amqp_way),
            );
        });
    });
    file
}

/// The case that needs all of it, in its two rows, with more options.
fn run(file: &Path, more: &[&str]) -> Finished {
    let mut run = command(&[
        "run",
        "--run",
        "platform/server-subscription/request-and-response/**",
        "--mqtt",
        "5.0",
        "--timeout",
        "10",
    ]);
    run.arg("--target").arg(file).args(more).env("MQTTSPEC_TEST_KEY", KEY);
    let finished = finish(run.spawn().expect("the program was built for this test"));
    assert!(!format!("{finished:?}").contains("s3cr3t"), "{finished:?}");
    finished
}

#[test]
fn a_target_file_is_all_that_a_run_needs_and_options_say_otherwise() {
    let file = serve();
    let beside = |name: &str| file.with_file_name(name).display().to_string();
    for more in [&[][..], &["--transport", "mqtts"]] {
        let finished = run(&file, more);
        assert!(finished.last_line().starts_with("2 passed, 0 failed, "), "{more:?}: {finished:?}");
    }
    // One authority for everything is the wrong one for two of three.
    let finished = run(&file, &["--transport", "mqtts", "--cafile", &beside("api.pem")]);
    assert_eq!(finished.code, Some(3), "{finished:?}");
    assert!(finished.stderr.contains("mqtts://localhost:") && finished.stderr.contains("certificate"), "{finished:?}");
    let finished = run(&file, &["--cafile", &beside("mqtt.pem")]);
    assert!(finished.code == Some(3) && finished.stdout.contains("AMQP cannot be reached: "), "{finished:?}");
    assert!(finished.stdout.contains(&format!("--target-file {} ", file.display())), "it cannot be run again");
    // A group that there is not, a port at which nobody is, and another key.
    let (closed, port) = listener();
    drop(closed);
    for more in [
        &["--consumer-group", "OTHERS"][..],
        &["--api", &format!("https://localhost:{port}")],
        &["--access-key-id", "AKEXAMPLE01", "--access-key-secret-env", "PATH"],
    ] {
        let finished = run(&file, more);
        assert!(finished.last_line().starts_with("0 passed, 2 failed, "), "{more:?}: {finished:?}");
    }
    let finished = run(&file, &[&format!("mqtt://127.0.0.1:{port}")]);
    assert_eq!(finished.code, Some(3), "{finished:?}");
    run(&file, &["--transport", "wss"]).fails_with(2, "has no such endpoint, but mqtt, mqtts");
}

#[test]
fn what_a_target_file_lacks_is_said() {
    for (text, more, message) in [
        ("endpoints:\n  mqt: mqtt://h\n", &[][..], "target.yaml:2:3: endpoints: expected one of `mqtt`, "),
        ("endpoints:\n  mqt: mqtt://h\n", &[], "did you mean `mqtt`?"),
        ("products: []\n", &[], "say where it is, there or with a URL"),
        ("endpoints: {api: 'http://h'}\n", &[], "say where it is, there or with a URL"),
        ("endpoints: {mqtt: 'mqtt://h', api: 'http://h'}\n", &[], "or `accessKey` in the target file"),
        ("endpoints: {mqtt: 'mqtt://h', amqp: 'amqp://h'}\n", &[], "or `api` in the target file"),
        ("endpoints: {mqtt: 'mqtt://h'}\n", &["--cafile", "ca.pem"], "--cafile is for TLS"),
    ] {
        let file = folder().join("target.yaml");
        fs::write(&file, text).expect("the folder is ours");
        run(&file, more).fails_with(2, message);
    }
}
