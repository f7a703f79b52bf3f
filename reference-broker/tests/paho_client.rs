//! A stock client as a device: paho-mqtt, in `paho_device.py`.
//!
//! It needs a Python that has it, named by the variable `MQTTSPEC_PAHO_PYTHON` of the environment. Without one there is nothing
//! to test: then the test says so.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::process::Command;

#[test]
fn paho_logs_in_as_a_device() {
    let Some(python) = std::env::var_os("MQTTSPEC_PAHO_PYTHON") else {
        eprintln!("skipped: MQTTSPEC_PAHO_PYTHON names no Python with paho-mqtt");
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/paho_device.py");
    let output = Command::new(python).args([script, env!("CARGO_BIN_EXE_mqttspec-broker")]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
}
