//! Rows of the platform's fact sheet that nobody can hold a server to who sees only MQTT: each with the reason.

/// Rows of sections 2 to 9 and 13, and open points, that no trace of MQTT shows, with the reason.
pub const NOT_ON_THE_WIRE: &[(&str, &str)] = &[
    // It is set or kept where no trace of MQTT reaches: account, console, cloud side, log.
    ("P-VER-2", "instance and whitelist belong to an account"),
    ("P-TOP-8", "names of topic classes are checked in the console"),
    ("P-TOP-15", "topic classes are counted in the console"),
    ("X-54", "the layout of lines in the platform's log"),
    ("P-RPC-15", "a rate that no script reaches"),
    ("P-RPC-16", "the texts of lines in the platform's log"),
    ("N-RET-3", "a switch in the console, for more than 1000 subscribers"),
    ("N-SHR-2", "gateways and instances belong to an account"),
    ("X-52", "TLS, below MQTT"),
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

/// Sections 2 to 9 and 13, and the open points that are about MQTT.
#[must_use]
pub fn is_about_mqtt(row: &str) -> bool {
    let themes = ["VER", "CON", "CID", "SGN", "REG", "RC", "KA", "QOS", "SES", "WR", "V5", "TOP", "RPC"];
    let of_platform = themes.iter().any(|theme| row.starts_with(&format!("P-{theme}-")));
    of_platform || row.starts_with("N-") || row.starts_with("X-")
}
