//! Where each row of the fact sheet lives: in a rule, an offence or a file of the model, or why in none.

use model::profile::Offence;
use model::server::Rule;
use model::statement::catalogue;
use std::collections::BTreeMap;
use std::path::Path;

/// Rows of sections 2 to 9 and 13, and open points, that no trace of MQTT shows, with the reason.
const NOT_ON_THE_WIRE: &[(&str, &str)] = &[
    // It would take a device's or a product's secret to see it.
    ("P-CID-5", "which timestamp was signed, only the secret tells"),
    ("P-REG-3", "the signature needs the product's secret"),
    ("P-SGN-1", "the signature needs the device's secret"),
    ("P-SGN-2", "the signature needs the device's secret"),
    ("P-SGN-3", "the signature needs the device's secret"),
    ("P-SGN-4", "the signature needs the device's secret"),
    // It is set or kept where no trace of MQTT reaches: account, console, cloud side, log.
    ("P-VER-2", "instance and whitelist belong to an account"),
    ("P-REG-7", "whether a device is activated, the cloud side knows"),
    ("P-QOS-7", "the cloud side publishes"),
    ("P-TOP-8", "names of topic classes are checked in the console"),
    ("P-TOP-15", "topic classes are counted in the console"),
    ("P-V5-10", "a line in the platform's log"),
    ("P-V5-14", "the business side reads it from AMQP"),
    ("P-RPC-8", "the API of the cloud side"),
    ("P-RPC-10", "the API of the cloud side"),
    ("P-RPC-13", "the API of the cloud side"),
    ("P-RPC-15", "the API of the cloud side"),
    ("P-RPC-16", "lines in the platform's log"),
    ("N-RET-3", "a switch in the console, for more than 1000 subscribers"),
    ("N-SHR-2", "gateways and instances belong to an account"),
    ("X-52", "TLS, below MQTT"),
    ("X-53", "AMQP"),
    ("X-54", "the platform's log"),
    // It tells of a vendor's client, not of the server.
    ("P-CID-12", "a client's choice; any name will do"),
    ("P-KA-10", "what a client sends"),
    ("P-QOS-8", "what a client sends"),
    ("P-RC-8", "how a client names codes"),
    ("P-RC-12", "how a client names codes"),
    ("P-RC-15", "what a client reads"),
    ("P-REG-8", "what a client expects"),
    ("P-TOP-12", "what a client sends"),
    ("P-V5-5", "how a client counts"),
    ("P-V5-9", "what a client sends"),
    ("P-V5-17", "what a client reads"),
    // It says nothing that could be checked by itself.
    ("P-VER-5", "each of the packets has rules of its own"),
    ("P-KA-7", "an older edition; P-KA-2 is the newer one"),
    ("P-RC-10", "a list of codes without their occasions; the X- rows have them"),
    ("P-RC-11", "the codes that are not in that list"),
    ("P-RC-13", "which packet carries which code: the codec's table, of the standard"),
    ("X-29", "no row has a rate to count against"),
    // The model is stricter or laxer than the row.
    ("P-SES-4", "stored messages are owed as long as their session lasts; no trace lasts seven days"),
    ("P-SES-5", "nothing tells when a QoS 0 message was routed, so one that was stored may have come late"),
    (
        "P-SES-10",
        "a subscription holds with its SUBACK: on the live service a tester has to wait, or calls it too strict",
    ),
    ("X-16", "every stored message is owed: no trace stores as many as the smallest sensible queue"),
    ("X-48", "as P-SES-10"),
];

fn sources(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("the folder can be read").path();
        let known = path.extension().is_some_and(|extension| extension == "rs" || extension == "yaml");
        if path.is_dir() {
            sources(&path, found);
        } else if known {
            let text = std::fs::read_to_string(&path).expect("a source is text");
            found.insert(path.display().to_string(), text);
        }
    }
}

/// Whether a text names a row, and not one whose number only begins alike.
fn names(text: &str, row: &str) -> bool {
    text.match_indices(row).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + row.len()..].chars().next();
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-') && !after.is_some_and(|c| c.is_ascii_digit())
    })
}

/// Sections 2 to 9 and 13, and the open points that are about MQTT.
fn is_in_scope(row: &str) -> bool {
    let themes = ["VER", "CON", "CID", "SGN", "REG", "RC", "KA", "QOS", "SES", "WR", "V5", "TOP", "RPC"];
    let of_platform = themes.iter().any(|theme| row.starts_with(&format!("P-{theme}-")));
    of_platform || row.starts_with("N-") || row.starts_with("X-")
}

#[test]
fn every_row_has_its_place_or_a_reason() {
    let mut texts = BTreeMap::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
    let mut missing = Vec::new();
    let mut idle = Vec::new();
    for row in catalogue().of_platform().map(|row| row.id.as_str()).filter(|row| is_in_scope(row)) {
        let ruled = Rule::ALL.iter().any(|rule| rule.rows().contains(&row));
        let answered = Offence::ALL.iter().any(|offence| offence.rows().contains(&row));
        let placed = ruled || answered || texts.values().any(|text| names(text, row));
        let excused = NOT_ON_THE_WIRE.iter().any(|(known, _)| *known == row);
        if !placed && !excused {
            missing.push(row);
        }
        if placed && excused {
            idle.push(row);
        }
    }
    let known: Vec<&str> = catalogue().of_platform().map(|row| row.id.as_str()).collect();
    assert!(NOT_ON_THE_WIRE.iter().all(|(row, why)| known.contains(row) && !why.is_empty()));
    assert!(missing.is_empty(), "no place and no reason: {missing:?}");
    assert!(idle.is_empty(), "a place and a reason not to have one: {idle:?}");
}
