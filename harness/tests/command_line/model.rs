//! The verbs that look at the model itself.

use crate::program::{finish, mqttspec, start};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

#[test]
fn check_tells_the_size_of_a_world_and_what_holds() {
    let finished = mqttspec(&["check", "publisher-decides"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stdout.contains("platform on MQTT 3.1.1: 261591 unique states of 1192138"), "{}", finished.stdout);
    assert!(finished.stdout.contains("always    Session Present tells the truth"), "{}", finished.stdout);
    assert_eq!(finished.last_line(), "1 passed, 0 failed, 0 skipped");
}

#[test]
fn a_planted_bug_fails_a_named_claim_with_a_path() {
    let finished = mqttspec(&["check", "takeover", "--bug", "keeps-older-connection"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    for line in [
        "  VIOLATED  a connection that was taken over is closed",
        "      sub again -> CONNECT lasting on #1",
        "      sub again <- CONNACK session-present 1 code 0",
    ] {
        assert!(finished.stdout.lines().any(|printed| printed == line), "{line:?} is not in\n{}", finished.stdout);
    }
    // The steps lead there only in the world with the bug.
    let way = "look around: mqttspec explore takeover --bug keeps-older-connection, then #/steps/";
    assert!(finished.stdout.contains(way), "{}", finished.stdout);
    assert_eq!(finished.last_line(), "0 passed, 1 failed, 0 skipped");
}

#[test]
fn unknown_names_are_refused() {
    mqttspec(&["check", "nowhere"]).fails_with(2, "there is no scenario `nowhere`: choose one of broken-link");
    mqttspec(&["check", "--bug", "laziness"]).fails_with(2, "there is no planted bug `laziness`");
    mqttspec(&["explore", "nowhere"]).fails_with(2, "there is no scenario `nowhere`");
}

/// What the explorer answers; its connection is read to the end of the answer's length.
fn fetch(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the explorer listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a bound is set");
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").expect("the request is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the answer ends");
    answer
}

#[test]
fn explore_answers_with_the_states_of_a_scenario() {
    let mut child = start(&["explore", "takeover", "--listen", "127.0.0.1:0"]);
    let mut line = String::new();
    BufReader::new(child.stderr.take().expect("stderr is piped")).read_line(&mut line).expect("it tells its address");
    let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address").to_owned();
    // The address is told just before the server listens.
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(&address).is_err() && std::time::Instant::now() < deadline {
        std::thread::yield_now();
    }
    let page = fetch(&address, "/");
    let states = fetch(&address, "/.states/");
    let next = fetch(&address, "/.states/0");
    child.kill().expect("the child is ours");
    let status = child.wait().expect("the child is ours");
    assert!(!status.success());
    assert!(page.contains("<html") || page.contains("<!DOCTYPE"), "{page:.200}");
    assert!(states.contains("Session Present tells the truth"), "{states:.400}");
    assert!(next.contains("sub -> CONNECT lasting on #0"), "{next:.800}");
}

#[test]
fn an_address_in_use_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it has an address").to_string();
    finish(start(&["explore", "takeover", "--listen", &address])).fails_with(3, &format!("cannot listen on {address}"));
}
