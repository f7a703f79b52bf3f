//! What is wrong in a file is said with its place, and what to do.

use super::{Suite, V5, file};

/// All errors of a text, as they are printed.
fn errors(text: &str) -> Vec<String> {
    match Suite::parse("s.yaml", text) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

fn assert_errors(table: &[(&str, &[&str])]) {
    for (text, expected) in table {
        assert_eq!(errors(text), *expected, "in\n{text}");
    }
}

fn v5(steps: &[&str]) -> String {
    file(V5, steps)
}

#[test]
fn what_is_no_suite_is_refused() {
    assert_errors(&[
        ("suite: [", &["s.yaml:2:1: this is no YAML: while parsing a node, did not find expected node content"]),
        ("", &["s.yaml:1:1: the file is empty: a suite begins with `suite:`"]),
        ("suite: s\n", &["s.yaml:1:1: `about:` is missing"]),
        ("suite: s\nsuit: x\n", &["s.yaml:2:1: unknown key `suit`, did you mean `suite`?"]),
        ("suite: s\nsuite: x\n", &["s.yaml:2:1: `suite` stands twice: first in line 1"]),
        (
            "suite: &a s\nabout: *a\n",
            &["s.yaml:1:8: anchors and aliases are no part of the case language: use `rows:`, or write it again"],
        ),
        ("suite: s\n---\nsuite: t\n", &["s.yaml:2:1: a second document begins here: a file holds one suite"]),
        (
            "suite: s\nabout: A.\ntarget: client\nprofiles: [standard]\ncases: []\n",
            &["s.yaml:3:9: unknown word `client`: expected broker"],
        ),
        (
            "suite: S 1\nabout: A.\ntarget: broker\nprofiles: [standart]\ncases: []\n",
            &[
                "s.yaml:1:8: `S 1` is no name of a suite: write kebab-case words with slashes",
                "s.yaml:4:12: unknown profile `standart`, did you mean `standard`?",
                "s.yaml:5:8: the suite has no cases",
            ],
        ),
    ]);
}

#[test]
fn steps_are_checked() {
    assert_errors(&[
        (&v5(&["sub -> CONECT"]), &["s.yaml:11:9: unknown packet `CONECT`, did you mean `CONNECT`?"]),
        (&v5(&["sub -> CONNACK"]), &["s.yaml:11:9: CONNACK is sent by a server: its bytes can be sent with BYTES"]),
        (&v5(&["sub <- PUBLISCH"]), &["s.yaml:11:9: unknown packet `PUBLISCH`, did you mean `PUBLISH`?"]),
        (&v5(&["sub <- SUBSCRIBE"]), &["s.yaml:11:9: SUBSCRIBE is sent by clients only, so it never comes"]),
        (
            &v5(&["sub -> CONNECT", "sub <- CONNACK", "sub -> PUBLISH: {topik: a}"]),
            &["s.yaml:13:26: unknown key `topik`, did you mean `topic`?"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub -> PUBLISH: {topic: a, qos: 3}"]),
            &["s.yaml:12:41: expected a QoS: 0, 1 or 2, found 3: wrong packets are made with `raw:`"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub -> PUBLISH: {topic: a, qos: true}"]),
            &["s.yaml:12:41: expected a QoS: 0, 1 or 2, found true"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub -> PUBLISH: {topic: a, payload: 1}"]),
            &["s.yaml:12:45: expected text in quotes, {hex: \"00 ff\"} or {size: 300}, found the number 1"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub -> PUBLISH: {topic: a, payload: {hex: \"0\"}}"]),
            &[
                "s.yaml:12:51: expected two hex digits, 'text', s'text', len{ ... } or login at character 1 of the bytes \"0\"",
            ],
        ),
        (
            &v5(&["sub -> CONNECT", "sub -> PUBLISH: {topic: $tt/a}"]),
            &["s.yaml:12:9: there is no variable `$tt`: write $$tt if you mean the text"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub -> PUBLISH: {topic: $SYS/a}"]),
            &["s.yaml:12:33: `$` needs the name of a variable behind it in \"$SYS/a\": write $$ for a dollar sign"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub -> PUBLISH: {topic: a, properties: {topic_alias: 0}}"]),
            &["s.yaml:12:62: expected a number from 1 to 65535, found 0: wrong packets are made with `raw:`"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub -> PUBLISH: {topic: a, properties: {receive_maximum: 1}}"]),
            &["s.yaml:12:49: this packet cannot carry Receive Maximum: send it with `raw: {properties: ...}`"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub -> PUBLISH: {topic: a, properties: {topic_alas: 1}}"]),
            &["s.yaml:12:49: unknown property `topic_alas`, did you mean `topic_alias`?"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub <- CONNACK: {code: not-authorised}"]),
            &["s.yaml:12:32: unknown code `not-authorised`, did you mean `not-authorized`?"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub <- CONNACK: {code: granted-qos-1}"]),
            &["s.yaml:12:9: code: CONNACK of 5.0 cannot carry 0x01"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub <- rejected: {code: qos-not-suported}"]),
            &["s.yaml:12:33: unknown offence `qos-not-suported`, did you mean `qos-not-supported`?"],
        ),
        (
            &v5(&["sub <- CONNACK"]),
            &["s.yaml:11:9: `sub` expects something before it has opened a connection or sent anything"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub drops", "sub <- PUBLISH"]),
            &["s.yaml:13:9: `sub` expects something, but its connection is gone"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub -> PUBACK"]),
            &["s.yaml:12:9: nothing that came to `sub` waits for a PUBACK: give an `id`"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub <- PUBLISH: {as: m}", "sub -> PUBACK: {id: $n.id}"]),
            &["s.yaml:13:9: there is no variable `$n.id`: no packet was bound with `as: n`"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub <- PUBLISH: {as: m}", "sub -> PUBACK: {id: $m.idd}"]),
            &["s.yaml:13:9: `$m.idd`: PUBLISH has no `idd`"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub <- PUBLISH: {as: m}", "sub -> PUBACK: {id: $m.topic}"]),
            &["s.yaml:13:9: expected a packet id from 1 to 65535, `$m.topic` is \"/ext/rrpc/1/t\""],
        ),
        (
            &v5(&["sub -> CONNECT", "sub <- PUBLISH: {as: sub}"]),
            &["s.yaml:12:9: `as: sub` is the name of an actor: take another one"],
        ),
        (&v5(&["sub -> CONNECT: {as: t}"]), &["s.yaml:11:30: `t` cannot name a packet: `$t` is a variable already"]),
        (&v5(&["t -> CONNECT"]), &["s.yaml:11:9: `t` cannot name an actor: `$t` is a variable already"]),
        (
            &v5(&["subscribernumberone -> CONNECT"]),
            &[
                "s.yaml:11:9: the name of the actor `subscribernumberone` is too long: 11 characters fit into its client id",
            ],
        ),
        (
            &v5(&["sub -> BYTES: \"c1 0\""]),
            &[
                "s.yaml:11:23: expected two hex digits, 'text', s'text', len{ ... } or login at character 4 of the bytes \"c1 0\"",
            ],
        ),
        (&v5(&["sub -> BYTES: 10"]), &["s.yaml:11:23: expected text, found the number 10: write \"10\""]),
        (&v5(&["sub -> BYTES"]), &["s.yaml:11:9: `bytes` is missing: write it behind a colon, in quotes"]),
        (
            &v5(&["elapse: 2 minutes"]),
            &["s.yaml:11:17: `2 minutes` is no time: write one like 2s, 500ms or 1.5 keep-alive"],
        ),
        (&v5(&["elapse: 1.5 keep-alive"]), &["s.yaml:11:9: there is no CONNECT before, so there is no Keep Alive"]),
        (
            &v5(&["sub -> CONNECT", "sub <- CONNACK: {within: [5s, 2s]}"]),
            &["s.yaml:12:34: the window ends (2s) before it begins (5s)"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub <- CONNACK: {within: 5}"]),
            &["s.yaml:12:34: expected text or a list of it, found the number 5: write a time like 5s, or [2s, 5s]"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub <- CONNACK: {raw: {flags: 1}}"]),
            &["s.yaml:12:26: `raw` cannot stand here: only what is sent can be made wrong"],
        ),
        (
            &v5(&["sub -> CONNECT: {raw: {flags: 16}}"]),
            &["s.yaml:11:39: `flags` are the low nibble, 0 to 15, found 16: use `first_byte`"],
        ),
        (
            &v5(&["sub -> CONNECT: {within: 5s}"]),
            &["s.yaml:11:26: `within` cannot stand here: nothing is waited for, or silence is, which has no time"],
        ),
        (
            &v5(&["sub -> CONNECT: {when: {mqtt: \"3.1\"}}"]),
            &["s.yaml:11:32: `when` names 3.1, which is not in `mqtt` of the case"],
        ),
        (
            &v5(&["sub -> CONNECT: {when: {mqtt: 5.0}}"]),
            &["s.yaml:11:39: expected text or a list of it, found the number 5.0: write \"5.0\" if it is text"],
        ),
        (
            &v5(&["sub -> CONNECT", "any-order: [sub -> PINGREQ, sub <- PINGRESP]"]),
            &["s.yaml:12:21: `any-order` holds expected packets only, not `sub -> PINGREQ`"],
        ),
        (
            &v5(&["sub -> CONNECT", "either: [[sub <- CONNACK]]"]),
            &["s.yaml:12:17: `either` needs two alternatives at least, each a list of steps"],
        ),
        (
            &v5(&["sub -> CONNECT", "either: [[sub <- silence], [sub <- closed]]"]),
            &["s.yaml:12:19: an alternative cannot begin with silence, which fits at first whatever comes"],
        ),
        (
            &v5(&["{sub -> CONNECT: {}, sub <- CONNACK: {}}"]),
            &["s.yaml:11:9: a step is a map with one key, this one has 2: begin each with `-`"],
        ),
        (
            &v5(&["sub connects"]),
            &[
                "s.yaml:11:9: `sub connects` is no step: write `sub -> CONNECT`, `sub <- CONNACK`, `sub opens`, `sub drops`, `elapse: 2s`, `any-order: [...]` or `either: [...]`",
            ],
        ),
        (&v5(&["sub -> CONNECT: {clean: yes}"]), &["s.yaml:11:33: expected true or false, found the text \"yes\""]),
        (&v5(&["sub -> CONNECT: 5"]), &["s.yaml:11:25: expected a map of fields, found the number 5"]),
        (&v5(&["sub -> CONNECT:"]), &["s.yaml:11:23: expected a map of fields, found nothing: leave the colon out"]),
        (
            &v5(&["sub -> CONNECT", "sub -> SUBSCRIBE: {qos: 1}"]),
            &["s.yaml:12:9: a SUBSCRIBE needs either `filter` or `filters`"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub -> SUBSCRIBE: {filter: a, filters: [{filter: b}]}"]),
            &["s.yaml:12:9: a SUBSCRIBE needs either `filter` or `filters`"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub -> PUBLISH: {topic: a, dup: true}"]),
            &["s.yaml:12:9: a PUBLISH of QoS 0 has no DUP: send it with `raw: {flags: 0x8}`"],
        ),
        (
            &v5(&["sub -> CONNECT", "sub -> PUBACK: {id: 1, code: 0x55}"]),
            &["s.yaml:12:9: PUBACK of 5.0 cannot carry 0x55"],
        ),
        (&v5(&["sub -> CONNECT: {keep_alive: $row.keep}"]), &["s.yaml:11:38: `$row.keep`: the case has no rows"]),
        (&v5(&[]), &["s.yaml:10:10: expected a list, found nothing"]),
    ]);
}

#[test]
fn what_stands_around_the_steps_is_checked() {
    assert_errors(&[
        (
            &file("cites: [MQTT-9.9.9-9]\nmqtt: [\"5.0\"]", &["sub -> CONNECT"]),
            &["s.yaml:8:13: unknown statement `MQTT-9.9.9-9`"],
        ),
        (
            &file("cites: [MQTT-3.3.44-1]\nmqtt: [\"5.0\"]", &["sub -> CONNECT"]),
            &["s.yaml:8:13: unknown statement `MQTT-3.3.44-1`, did you mean `MQTT-3.3.4-1`?"],
        ),
        (
            &file("cites: [MQTT-3.3.4-9]\nmqtt: [\"3.1.1\"]", &["sub -> CONNECT"]),
            &["s.yaml:8:13: MQTT-3.3.4-9 is a statement of 5.0, and the case is for 3.1.1"],
        ),
        (
            &file("cites: [MQTT-3.3.4-9]\nmqtt: [\"3.1.1\", \"5.0\"]", &["sub -> CONNECT"]),
            &["s.yaml:8:12: no statement of 3.1.1 is cited: cite one, or take 3.1.1 out of `mqtt`"],
        ),
        (
            &file("cites: [MQTT-3.1.2-5]\nmqtt: [\"3.1.1\", \"5.0\"]", &["sub -> CONNECT"]),
            &[
                "s.yaml:8:13: MQTT-3.1.2-5 means different things in 3.1.1 and 5.0: write 3.1.1:MQTT-3.1.2-5 or 5.0:MQTT-3.1.2-5, or both if both are meant",
            ],
        ),
        (
            &file("cites: [MQTT-3.1.2-20]\nmqtt: [\"5.0\"]", &["sub -> CONNECT"]),
            &["s.yaml:8:13: MQTT-3.1.2-20 obliges the client: a case for brokers cites what obliges the server"],
        ),
        (
            &file("cites: [3.3.1-1]\nmqtt: [\"5.0\"]", &["sub -> CONNECT"]),
            &["s.yaml:8:13: `3.3.1-1` is no statement id: write one like MQTT-3.3.1-2, V31-3, P-QOS-2 or X-11"],
        ),
        (
            &file("cites: []\nmqtt: [5.0]", &["sub -> CONNECT"]),
            &["s.yaml:9:12: expected text, found the number 5.0: write \"5.0\""],
        ),
        (
            &file("cites: []\nmqtt: []", &["sub -> CONNECT"]),
            &["s.yaml:9:11: the list is empty: name the protocol versions, such as \"5.0\""],
        ),
        (
            &file("cites: [MQTT-3.3.4-1]\nmqtt: [\"4\"]", &["sub -> CONNECT"]),
            &["s.yaml:9:12: unknown MQTT version `4`: write \"3.1\", \"3.1.1\" or \"5.0\""],
        ),
        (
            &file("cites: [MQTT-3.3.4-1]\nmqtt: [\"5.0\"]\nneeds: [qos2]", &["sub -> CONNECT"]),
            &["s.yaml:10:13: unknown feature `qos2`, did you mean `qos-2`?"],
        ),
        (
            &file("cites: [MQTT-3.3.4-1]\nmqtt: [\"3.1.1\"]", &["sub -> CONNECT: {properties: {receive_maximum: 1}}"]),
            &["s.yaml:11:26: 3.1.1 has no properties: limit the step with `when: {mqtt: \"5.0\"}`"],
        ),
        (
            &file(
                "cites: [MQTT-3.3.4-1]\nmqtt: [\"3.1.1\"]",
                &["sub -> CONNECT: {will: {topic: a, properties: {content_type: b}}}"],
            ),
            &["s.yaml:11:25: a Will of 3.1.1 has no properties: limit the step with `when: {mqtt: \"5.0\"}`"],
        ),
        (
            &file("cites: [MQTT-3.3.4-1]\nmqtt: [\"3.1.1\"]", &["sub -> AUTH", "sub <- DISCONNECT"]),
            &[
                "s.yaml:11:9: 3.1.1 has no AUTH: limit the step with `when: {mqtt: \"5.0\"}`",
                "s.yaml:12:9: 3.1.1 has no DISCONNECT from a server: limit the step with `when: {mqtt: \"5.0\"}`",
            ],
        ),
        (
            &file("cites: [MQTT-3.3.4-1]\nmqtt: [\"3.1.1\"]", &["sub -> SUBSCRIBE: {filter: a, no_local: true}"]),
            &["s.yaml:11:9: SUBSCRIBE of MQTT 3.1.1 has no No Local"],
        ),
        (
            &file(
                "cites: [MQTT-3.3.4-1]\nmqtt: [\"3.1.1\"]",
                &["sub -> CONNECT", "sub <- PUBACK: {code: no-matching-subscribers}"],
            ),
            &["s.yaml:12:9: code: PUBACK of 3.1.1 cannot carry 0x10: limit the step with `when`"],
        ),
        (
            &file(&format!("{V5}\nrows: [{{x: 1}}, {{id: a}}, {{id: a}}, 5, {{id: b, x: 1}}]"), &["sub -> CONNECT"]),
            &[
                "s.yaml:10:12: the row has no `id`: it becomes a part of the variant's name",
                "s.yaml:10:29: the row `a` stands twice: first in line 10",
                "s.yaml:10:38: a row is a map with an `id`, found the number 5",
            ],
        ),
        (
            &file(&format!("{V5}\nrows: [{{id: a, x: []}}]"), &["sub -> CONNECT: {client_id: a$row.x}"]),
            &["s.yaml:12:37: `$row.x` holds a list: it stands for a whole value, not in a text"],
        ),
        (
            &file(&format!("{V5}\nrows: [{{id: a, value: 1}}]"), &["sub -> CONNECT: {keep_alive: $row.valeu}"]),
            &["s.yaml:12:38: `$row.valeu`: the row has no column `valeu`, did you mean `value`?"],
        ),
        (
            &file(&format!("{V5}\nstep: []"), &["sub -> CONNECT"]),
            &["s.yaml:10:5: unknown key `step`, did you mean `steps`?"],
        ),
    ]);
}

/// A file may be hostile: it is refused at once, whatever it would unfold into.
#[test]
fn nothing_grows_without_bounds() {
    let first = |text: &str| errors(text).into_iter().next().unwrap_or_default();
    assert_eq!(first(&"\n".repeat(2 << 20)), "s.yaml:1:1: the file has 2097152 bytes, the limit is 1048576: split it");
    assert_eq!(
        first(&format!("suite: {}", "[".repeat(1 << 19))),
        "s.yaml:1:263: this is no YAML: recursion limit exceeded"
    );
    assert_eq!(first(&format!("suite: {}", "[".repeat(100))), "s.yaml:1:39: this nests too deep for a case");
    assert_eq!(first(&format!("suite: {}", "{a: ".repeat(1 << 17))), "s.yaml:1:132: this nests too deep for a case");
    assert_eq!(first(&"- ".repeat(1 << 19)), "s.yaml:1:65: this nests too deep for a case");
    let keys: String = (0..50_000).map(|key| format!("k{key}: 0\n")).collect();
    assert_eq!(first(&keys), "s.yaml:257:1: this map has more than 256 keys");

    let rows: Vec<String> = (0..900).map(|row| format!("{{id: r{row}, x: {}}}", "x".repeat(900))).collect();
    let head = format!("{V5}\nrows: [{}]", rows.join(", "));
    let wide = vec!["sub -> PUBLISH: {topic: $row.x$row.x$row.x$row.x$row.x$row.x}"; 5];
    assert!(first(&file(&head, &wide)).contains("the rows of the case put more than 4194304 bytes into its steps"));
    let rows: Vec<String> = (0..900).map(|row| format!("{{id: r{row}}}")).collect();
    let head = format!("{V5}\nrows: [{}]", rows.join(", "));
    assert_eq!(
        first(&file(&head, &vec!["sub opens"; 5000])),
        "s.yaml:6:9: the case unfolds into too many steps: split it"
    );
    let rows: Vec<String> = (0..50_000).map(|row| format!("{{id: r{row}}}")).collect();
    let head = format!("{V5}\nrows: [{}]", rows.join(", "));
    assert_eq!(first(&file(&head, &["sub opens"])), "s.yaml:10:11: the case has more than 1000 rows: split it");
}

#[test]
fn all_errors_of_a_file_are_listed_in_order() {
    let two = file(V5, &["sub -> CONECT", "sub -> PUBLISH: {topik: a}", "sub -> CONNECT: {keep_alive: soon}"]);
    let other =
        "  - id: d\n    about: B.\n    cites: [MQTT-3.3.4-1]\n    mqtt: [\"5.0\"]\n    steps: [sub <- CONNACK]\n";
    assert_eq!(
        errors(&format!("{two}{other}")),
        [
            "s.yaml:11:9: unknown packet `CONECT`, did you mean `CONNECT`?",
            "s.yaml:12:26: unknown key `topik`, did you mean `topic`?",
            "s.yaml:13:38: expected a number from 0 to 65535, found the text \"soon\"",
            "s.yaml:18:13: `sub` expects something before it has opened a connection or sent anything",
        ]
    );
}

#[test]
fn an_id_stands_once_in_a_suite() {
    let case =
        "  - id: c\n    about: B.\n    cites: [MQTT-3.3.4-1]\n    mqtt: [\"5.0\"]\n    steps: [sub -> CONNECT]\n";
    assert_eq!(
        errors(&format!("{}{case}", file(V5, &["sub -> CONNECT"]))),
        ["s.yaml:12:9: the id `c` stands twice: first in line 6"]
    );
}
