//! A command that carries a connection.
#![cfg(unix)]

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use transport::{ConnectError, Route, TransportCommand};

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn its_input_and_output_carry_the_bytes() {
    let command = TransportCommand::parse("sh -c 'echo {host}:{port}; exec cat'").unwrap();
    let mut stream = command.start("broker.example", 1883).unwrap();
    stream.write_all(b"hello\n").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut heard = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut heard)).await.expect("it ends when its input does").unwrap();
    assert_eq!(heard, "broker.example:1883\nhello\n");
}

#[tokio::test]
async fn nothing_it_has_started_is_left_behind() {
    let command = TransportCommand::parse("sh -c 'sleep 1000 & echo $!; exec cat'").unwrap();
    let mut stream = command.start("h", 1).unwrap();
    let mut line = [0; 32];
    let length = timeout(PATIENCE, stream.read(&mut line)).await.expect("it says its number").unwrap();
    let child = String::from_utf8_lossy(&line[..length]).trim().to_owned();
    drop(stream);
    let gone = async {
        // Killed, it is either gone or waits to be taken note of.
        while std::fs::read_to_string(format!("/proc/{child}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("what the command has started is ended with it");
}

#[tokio::test]
async fn what_it_complains_of_stands_in_the_error() {
    let command = TransportCommand::parse("sh -c 'echo no route to {host} >&2; exit 1'").unwrap();
    let route = Route::new("ws://there:1".parse().unwrap(), || Err("no TLS here"), Some(command)).unwrap();
    let error = timeout(PATIENCE, route.connect()).await.expect("it ends").expect_err("it carries nothing");
    assert!(error.to_string().ends_with("; the transport command says: no route to there"), "{error}");
}

#[tokio::test]
async fn one_that_cannot_be_started_is_named() {
    let command = TransportCommand::parse("/nowhere/at/all {host}").unwrap();
    let route = Route::new("mqtt://there".parse().unwrap(), || Err("no TLS here"), Some(command)).unwrap();
    let error = route.connect().await.expect_err("there is no such program");
    assert!(matches!(error, ConnectError::Command { .. }), "{error}");
    assert!(error.to_string().starts_with("cannot start `/nowhere/at/all {host}`: "), "{error}");
}

#[test]
fn what_needs_a_shell_is_refused() {
    for text in ["", "socat 'x", "socat - x | tee log"] {
        assert!(TransportCommand::parse(text).is_err(), "{text}");
    }
}
