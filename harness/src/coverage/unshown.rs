//! Rows of the platform's fact sheet that no case can show: each with the reason.
//!
//! The model lists those that no trace of MQTT can show. Here stand the others: what the server alone brings about, what lies
//! below MQTT or beside it, and what no script reaches.

use model::server::off_the_wire::NOT_ON_THE_WIRE;

/// Rows that a judge may well watch, or that are not about MQTT, and of which there is no case; with the reason.
const UNSHOWN: &[(&str, &str)] = &[
    // The server decides whether it comes to that.
    ("P-SES-7", "a server that answers at once never has a hundred unanswered, and ten a second (P-LIM-1) come first"),
    ("X-20", "as P-SES-7; the judge permits each reaction when it comes to that"),
    ("X-53", "names of keys are free; that the values come, P-AMQ-7 and P-V5-14 show"),
    // A case speaks one version.
    ("N-VER-1", "a case speaks one version; the judge watches a device that comes back with an older one"),
    // Set or kept where no script reaches.
    ("P-TOP-4", "what the console shows"),
    ("P-REG-9", "an HTTPS service beside MQTT, which old clients ask; the User Name that it gives out is a plain one"),
    ("P-API-5", "a rate of an account that no script reaches: 1600 a second"),
    ("P-AMQ-13", "rates and counts of groups that no script reaches"),
    ("P-LIM-5", "a rate of an account: 500 connects a second"),
    ("P-LIM-6", "rates of an account: thousands of messages a second"),
    ("P-LIM-7", "a bandwidth: a script sends no megabyte a second, and P-LIM-1 and P-LIM-8 leave no room for one"),
    ("P-LOG-1", "which columns the log has: QueryDeviceLog gives out its lines as text"),
    // How the business server's own connection is made: one that is not made so hears nothing.
    ("P-AMQ-1", "below the messages: `amqp opens` has to do it so to hear anything"),
    ("P-AMQ-2", "as P-AMQ-1"),
    ("P-AMQ-3", "as P-AMQ-1"),
    ("P-AMQ-4", "as P-AMQ-1: what AMQP connections tell each other when they open"),
    ("P-AMQ-5", "as P-AMQ-1: a listener that has not done so in time is no listener"),
    ("P-AMQ-12", "as P-AMQ-1: how bodies are written is asked for in the login"),
    // Below MQTT.
    ("P-TLS-1", "which versions of TLS a server negotiates, `mqttspec probe` tells"),
    ("P-TLS-3", "a setting of instances and devices in the console"),
    ("P-TLS-4", "ports of a deployment: a target is given by its URL"),
    ("P-TLS-5", "certificates of a deployment"),
    ("P-TLS-6", "host names of a deployment"),
    ("P-TLS-8", "a host of its own for devices with certificates"),
    ("P-TLS-10", "TLS-PSK, which a transport command can carry"),
    ("P-TLS-11", "a channel of chips, which a transport command can carry; MQTT in it is unchanged"),
    ("P-ITL-1", "as P-TLS-11"),
    ("P-ITL-2", "as P-TLS-11"),
    ("P-ITL-3", "as P-TLS-11"),
    ("P-ITL-4", "as P-TLS-11"),
    ("P-ITL-5", "as P-TLS-11"),
    ("P-ITL-6", "as P-TLS-11"),
    ("P-ITL-7", "as P-TLS-11"),
    ("P-ITL-8", "as P-TLS-11"),
    ("P-ITL-9", "as P-TLS-11"),
];

/// Why no case can show a row, if none can.
pub(super) fn reason(row: &str) -> Option<&'static str> {
    let all = NOT_ON_THE_WIRE.iter().chain(UNSHOWN);
    all.copied().find(|(known, _)| *known == row).map(|(_, why)| why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Library;
    use model::statement::catalogue;
    use std::collections::BTreeSet;

    #[test]
    fn what_has_a_reason_is_a_row_that_no_case_cites() {
        let library = Library::embedded().expect("the cases are in order");
        let scripts = library.suites.iter().flat_map(|suite| &suite.cases).flat_map(|case| &case.scripts);
        let cited: BTreeSet<&str> = scripts.flat_map(|script| &script.cites).map(|id| id.as_str()).collect();
        let rows: BTreeSet<&str> = catalogue().of_platform().map(|row| row.id.as_str()).collect();
        let mut seen = BTreeSet::new();
        for (row, why) in NOT_ON_THE_WIRE.iter().chain(UNSHOWN) {
            assert!(rows.contains(row), "{row} is no row");
            assert!(seen.insert(row), "{row} has two reasons");
            assert!(!cited.contains(row), "{row} is cited, and has a reason not to be: {why}");
        }
    }

    #[test]
    fn every_row_has_a_case_or_a_reason() {
        let library = Library::embedded().expect("the cases are in order");
        let scripts = library.suites.iter().flat_map(|suite| &suite.cases).flat_map(|case| &case.scripts);
        let cited: BTreeSet<&str> = scripts.flat_map(|script| &script.cites).map(|id| id.as_str()).collect();
        let rows = catalogue().of_platform().map(|row| row.id.as_str()).filter(|row| !row.starts_with("D-"));
        let open: Vec<&str> = rows.filter(|row| !cited.contains(row) && reason(row).is_none()).collect();
        assert!(open.is_empty(), "neither a case nor a reason: {open:?}");
    }
}
