//! The program `mqttspec-client`, against a server on the loopback interface.

use crate::scripted::{V3_1_1, acknowledgement, publish};
use model::packet::{
    Connack, ConnackCode, ConnackProperties, ConnectReturnCode, Delivery, Packet, Qos, ReasonCode, ReasonProperties,
    Suback,
};
use model::wire::{Decoder, encode};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mqttspec-client")).args(arguments).output().unwrap()
}

fn lines(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Serves one 3.1.1 connection: answers each packet as told, until the client closes; returns what it sent.
fn serve(answer: impl Fn(&Packet) -> Vec<Packet> + Send + 'static) -> (String, JoinHandle<Vec<Packet>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtt://{}", listener.local_addr().unwrap());
    let server = spawn(move || {
        let (mut stream, _): (TcpStream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut decoder = Decoder::from_client();
        let mut seen = Vec::new();
        let mut buffer = [0; 1024];
        loop {
            while let Some(decoded) = decoder.next_packet().unwrap() {
                for packet in answer(&decoded.packet) {
                    stream.write_all(&encode(&packet, V3_1_1).unwrap()).unwrap();
                }
                seen.push(decoded.packet);
            }
            match stream.read(&mut buffer).unwrap() {
                0 => return seen,
                count => decoder.feed(&buffer[..count]),
            }
        }
    });
    (url, server)
}

fn connack(code: ConnectReturnCode) -> Packet {
    Packet::Connack(Connack {
        session_present: false,
        code: ConnackCode::Return(code),
        properties: ConnackProperties::default(),
    })
}

/// Accepts, acknowledges, and answers SUBSCRIBE with two messages.
fn willing(packet: &Packet) -> Vec<Packet> {
    match packet {
        Packet::Connect(_) => vec![connack(ConnectReturnCode::Accepted)],
        Packet::Publish(publish) => {
            publish.packet_id().map(|id| Packet::Puback(acknowledgement(id.value()))).into_iter().collect()
        }
        Packet::Subscribe(subscribe) => vec![
            Packet::Suback(Suback {
                packet_id: subscribe.packet_id,
                properties: ReasonProperties::default(),
                codes: vec![ReasonCode::Success],
            }),
            Packet::Publish(publish("m1", Delivery::AtMostOnce)),
            Packet::Publish(publish("m2", Delivery::AtMostOnce)),
        ],
        _ => Vec::new(),
    }
}

#[test]
fn publishes_and_leaves_with_0() {
    let (url, server) = serve(willing);
    let output = program(&[
        "pub",
        "--url",
        &url,
        "--mqtt",
        "3.1.1",
        "--topic",
        "t/a",
        "--message",
        "hi",
        "--qos",
        "1",
        "--retain",
        "--client-id",
        "p1",
        "--keep-alive",
        "30",
    ]);
    assert_eq!((output.status.code(), lines(&output.stderr)), (Some(0), String::new()));
    let seen = server.join().unwrap();
    let [Packet::Connect(connect), Packet::Publish(publish), Packet::Disconnect(_)] = seen.as_slice() else {
        panic!("{seen:?}");
    };
    assert_eq!((connect.client_id.as_str(), connect.keep_alive), ("p1", 30));
    assert_eq!((publish.topic.as_str(), publish.payload.as_slice()), ("t/a", b"hi".as_slice()));
    assert_eq!((publish.qos(), publish.retain), (Qos::AtLeastOnce, true));
}

#[test]
fn prints_topic_and_payload_and_leaves_after_count() {
    let (url, server) = serve(willing);
    let output = program(&["sub", "--url", &url, "--mqtt", "3.1.1", "--topic", "t/#", "--count", "2"]);
    assert_eq!((output.status.code(), lines(&output.stdout)), (Some(0), "t/a m1\nt/a m2\n".to_owned()));
    assert!(matches!(server.join().unwrap().last(), Some(Packet::Disconnect(_))));
}

#[test]
fn too_few_messages_are_a_failure() {
    let (url, server) = serve(willing);
    let output =
        program(&["sub", "--url", &url, "--mqtt", "3.1.1", "--topic", "t/#", "--count", "3", "--timeout", "500ms"]);
    assert_eq!((output.status.code(), lines(&output.stdout)), (Some(1), "t/a m1\nt/a m2\n".to_owned()));
    assert_eq!(lines(&output.stderr), "mqttspec-client: fewer messages came than --count asks for\n");
    server.join().unwrap();
}

#[test]
fn a_refusal_is_1() {
    let (url, server) = serve(|packet| match packet {
        Packet::Connect(_) => vec![connack(ConnectReturnCode::NotAuthorized)],
        _ => Vec::new(),
    });
    let output = program(&["pub", "--url", &url, "--mqtt", "3.1.1", "--topic", "t"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(lines(&output.stderr), "mqttspec-client: the server refused the connection: 0x05 NotAuthorized\n");
    server.join().unwrap();
}

#[test]
fn wrong_usage_is_2_and_connects_to_nothing() {
    for arguments in [
        &["pub"][..],
        &["pub", "--topic", "t", "--qos", "3"],
        &["pub", "--topic", "t", "--url", "http://127.0.0.1"],
        &["sub", "--topic", "t", "--timeout", "5"],
        &["sub", "--topic", "t", "--mqtt", "4"],
        &["pub", "--topic", "t", "--mqtt", "3.1", "--client-id", ""],
    ] {
        let output = program(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", lines(&output.stderr));
    }
}

#[test]
fn a_port_where_nobody_listens_is_3() {
    // Bound and closed again: free, and not in use a moment later.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = program(&["pub", "--url", &format!("mqtt://{address}"), "--topic", "t"]);
    assert_eq!(output.status.code(), Some(3), "{}", lines(&output.stderr));
    assert!(lines(&output.stderr).starts_with("mqttspec-client: cannot reach mqtt://127.0.0.1:"));
}

#[test]
fn a_server_that_says_nothing_is_3() {
    let (url, server) = serve(|_| Vec::new());
    let output = program(&["pub", "--url", &url, "--topic", "t", "--response-timeout", "300ms"]);
    assert_eq!(output.status.code(), Some(3), "{}", lines(&output.stderr));
    server.join().unwrap();
}

#[test]
fn help_has_examples_and_exit_codes() {
    for arguments in [&["--help"][..], &["pub", "--help"], &["sub", "--help"]] {
        let output = program(arguments);
        let help = lines(&output.stdout);
        assert_eq!(output.status.code(), Some(0));
        assert!(help.contains("Examples:") && help.contains("Exit codes:"), "{help}");
    }
}

#[cfg(unix)]
#[test]
fn a_password_is_any_bytes_and_its_absence_is_said() {
    use std::os::unix::ffi::OsStrExt as _;

    let (url, server) = serve(willing);
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqttspec-client"));
    command.args(["pub", "--url", &url, "--mqtt", "3.1.1", "--topic", "t", "--user-name", "me"]);
    command.args(["--password-env", "MQTTSPEC_TEST_PASSWORD"]);
    let missing = command.output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(lines(&missing.stderr).contains("there is no environment variable `MQTTSPEC_TEST_PASSWORD`"));
    let given = command.env("MQTTSPEC_TEST_PASSWORD", std::ffi::OsStr::from_bytes(b"secret\xff")).output().unwrap();
    assert!(given.status.success(), "{}", lines(&given.stderr));
    let seen = server.join().unwrap();
    let Packet::Connect(connect) = &seen[0] else { panic!("{seen:?}") };
    assert_eq!(connect.user_name.as_deref(), Some("me"));
    assert_eq!(connect.password.as_deref(), Some(b"secret\xff".as_slice()));
}
