//! The form of a step: what its string, or the key of its map, says.

use super::decode::unknown_key;

/// What a client sends.
pub(super) const SENT: [&str; 12] = [
    "CONNECT",
    "PUBLISH",
    "PUBACK",
    "PUBREC",
    "PUBREL",
    "PUBCOMP",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "PINGREQ",
    "DISCONNECT",
    "AUTH",
    "BYTES",
];

/// What a client may expect.
pub(super) const EXPECTED: [&str; 14] = [
    "CONNACK",
    "PUBLISH",
    "PUBACK",
    "PUBREC",
    "PUBREL",
    "PUBCOMP",
    "SUBACK",
    "UNSUBACK",
    "PINGRESP",
    "DISCONNECT",
    "AUTH",
    "silence",
    "closed",
    "rejected",
];

/// The form of a step: what its string or its key says.
pub(super) enum Form<'a> {
    Opens(&'a str),
    Drops(&'a str),
    Sends(&'a str, &'a str),
    Expects(&'a str, &'a str),
    Elapse,
    AnyOrder,
    Either,
}

/// Takes the string or the key of a step apart.
pub(super) fn form(head: &str) -> Result<Form<'_>, String> {
    let words: Vec<&str> = head.split_whitespace().collect();
    let (who, form) = match words.as_slice() {
        ["elapse"] => return Ok(Form::Elapse),
        ["any-order"] => return Ok(Form::AnyOrder),
        ["either"] => return Ok(Form::Either),
        [actor, "opens"] => (*actor, Form::Opens(actor)),
        [actor, "drops"] => (*actor, Form::Drops(actor)),
        [actor, "->", what] => {
            if !SENT.contains(what) {
                return Err(unknown_packet(
                    what,
                    &SENT,
                    &EXPECTED[..9],
                    "is sent by a server: its bytes can be sent with BYTES",
                ));
            }
            (*actor, Form::Sends(actor, what))
        }
        [actor, "<-", what] => {
            if !EXPECTED.contains(what) {
                return Err(unknown_packet(what, &EXPECTED, &SENT[..9], "is sent by clients only, so it never comes"));
            }
            (*actor, Form::Expects(actor, what))
        }
        _ => {
            return Err(format!(
                "`{}` is no step: write `sub -> CONNECT`, `sub <- CONNACK`, `sub opens`, `sub drops`, `elapse: 2s`, \
                 `any-order: [...]` or `either: [...]`",
                words.join(" ")
            ));
        }
    };
    check_actor(who)?;
    Ok(form)
}

fn unknown_packet(word: &str, known: &[&str], other_way: &[&str], why: &str) -> String {
    if other_way.contains(&word) {
        return format!("{word} {why}");
    }
    unknown_key("packet", word, known.iter().copied())
}

/// Whether `name` can name an actor or a bound packet.
pub(super) fn check_name(what: &str, name: &str) -> Result<(), String> {
    let well_formed = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if !well_formed {
        return Err(format!("`{name}` cannot name {what}: use lower-case letters and digits, a letter first"));
    }
    if ["t", "c", "row"].contains(&name) {
        return Err(format!("`{name}` cannot name {what}: `${name}` is a variable already"));
    }
    Ok(())
}

fn check_actor(name: &str) -> Result<(), String> {
    check_name("an actor", name)?;
    if name.len() > 11 {
        // With a prefix of 12 characters the client id has 23, which every server must take.
        return Err(format!("the name of the actor `{name}` is too long: 11 characters fit into its client id"));
    }
    Ok(())
}
