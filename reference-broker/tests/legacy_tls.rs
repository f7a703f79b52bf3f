//! TLS 1.0 and 1.1, which OpenSSL serves: `openssl s_client` gets a CONNACK in every version.
//!
//! With the feature `legacy-tls` alone; without openssl installed the test says so, and fails only where `CI` is `true`.
#![cfg(feature = "legacy-tls")]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

/// CONNECT of 3.1.1 with an empty Client Identifier.
const CONNECT: &[u8] = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00";
const CONNACK: &[u8] = b"\x20\x02\x00\x00";

/// A process that does not outlive the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn every_version_gets_a_connack() {
    if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "openssl is not installed");
        println!("openssl is not installed: nothing is tested");
        return;
    }
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("legacy-{}", std::process::id()));
    let folder = folder.display().to_string();
    let mut broker = Command::new(env!("CARGO_BIN_EXE_mqttspec-broker"));
    broker.args(["--tls", "127.0.0.1:0", "--legacy-tls", "--test-certificates", &folder]).stderr(Stdio::piped());
    let mut broker = Running(broker.spawn().unwrap());
    let mut lines = BufReader::new(broker.0.stderr.take().unwrap()).lines();
    let warning = lines.next().unwrap().unwrap();
    assert!(warning.contains("TLS 1.0 and 1.1, which everybody can break"), "{warning}");
    let ready = lines.next().unwrap().unwrap();
    let address = ready.split("mqtts://").nth(1).unwrap().split(',').next().unwrap().to_owned();
    for version in ["-tls1", "-tls1_1", "-tls1_2", "-tls1_3"] {
        let mut client = Command::new("openssl");
        client.args(["s_client", "-quiet", version, "-cipher", "ALL:@SECLEVEL=0", "-connect", &address]);
        client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut client = Running(client.spawn().unwrap());
        client.0.stdin.as_mut().unwrap().write_all(CONNECT).unwrap();
        let mut answer = [0; 4];
        client.0.stdout.as_mut().unwrap().read_exact(&mut answer).unwrap_or_else(|error| panic!("{version}: {error}"));
        assert_eq!(answer, CONNACK, "{version}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
