//! The form of a step: what its string, or the key of its map, says.

use super::decode::unknown_key;
use super::request::Asking;
use super::step::{AMQP, API, FrameKind, Settlement};
use model::packet::PacketType;

macro_rules! packets {
    ($($(#[$doc:meta])* $type:ident { $($packet:ident,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum $type { $($packet,)* }

        impl $type {
            pub(super) const ALL: &'static [$type] = &[$($type::$packet,)*];

            /// The packet by its name in MQTT, as steps write it.
            pub(super) fn word(self) -> &'static str {
                match self { $($type::$packet => PacketType::$packet.name(),)* }
            }
        }
    )*};
}

packets! {
    /// A packet that a client sends.
    FromClient {
        Connect, Publish, Puback, Pubrec, Pubrel, Pubcomp, Subscribe, Unsubscribe, Pingreq, Disconnect, Auth,
    }

    /// A packet that a client may expect.
    FromServer {
        Connack, Publish, Puback, Pubrec, Pubrel, Pubcomp, Suback, Unsuback, Pingresp, Disconnect, Auth,
    }
}

/// What can be sent beside packets.
pub(super) const BYTES: &str = "BYTES";
pub(super) const TEXT: &str = "TEXT";

/// What can be expected beside packets.
pub(super) const SILENCE: &str = "silence";
pub(super) const CLOSED: &str = "closed";
pub(super) const REJECTED: &str = "rejected";

/// What the cloud side expects.
pub(super) const ANSWER: &str = "answer";
pub(super) const MESSAGE: &str = "message";

/// The form of a step: what its string or its key says.
pub(super) enum Form<'a> {
    Opens(&'a str),
    Drops(&'a str),
    Sends(&'a str, FromClient),
    SendsBytes(&'a str, FrameKind),
    Expects(&'a str, FromServer),
    ExpectsSilence(&'a str),
    ExpectsClose(&'a str),
    ExpectsRejection(&'a str),
    Asks(Asking),
    ExpectsAnswer,
    ExpectsMessage,
    Settles(Settlement),
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
        [API, "->", word] => return Ok(Form::Asks(asking(word)?)),
        [API, "<-", ANSWER] => return Ok(Form::ExpectsAnswer),
        [API, "<-", SILENCE] => return Ok(Form::ExpectsSilence(API)),
        [API, ..] => return Err(format!("`{API}` asks and is answered: write `{API} -> Pub` and `{API} <- {ANSWER}`")),
        [AMQP, "<-", MESSAGE] => return Ok(Form::ExpectsMessage),
        [AMQP, "settles"] => return Ok(Form::Settles(Settlement::Accepted)),
        [AMQP, "releases"] => return Ok(Form::Settles(Settlement::Released)),
        [AMQP, "<-", SILENCE] => return Ok(Form::ExpectsSilence(AMQP)),
        [AMQP, "opens"] => return Ok(Form::Opens(AMQP)),
        [AMQP, "drops"] => return Ok(Form::Drops(AMQP)),
        [AMQP, ..] => {
            return Err(format!(
                "`{AMQP}` gets messages: write `{AMQP} opens`, `{AMQP} <- {MESSAGE}`, `{AMQP} settles`, `{AMQP} releases` or \
                 `{AMQP} drops`"
            ));
        }
        [actor, "opens"] => (*actor, Form::Opens(actor)),
        [actor, "drops"] => (*actor, Form::Drops(actor)),
        [actor, "->", BYTES] => (*actor, Form::SendsBytes(actor, FrameKind::Binary)),
        [actor, "->", TEXT] => (*actor, Form::SendsBytes(actor, FrameKind::Text)),
        [actor, "->", word] => (*actor, Form::Sends(actor, from_client(word)?)),
        [actor, "<-", SILENCE] => (*actor, Form::ExpectsSilence(actor)),
        [actor, "<-", CLOSED] => (*actor, Form::ExpectsClose(actor)),
        [actor, "<-", REJECTED] => (*actor, Form::ExpectsRejection(actor)),
        [actor, "<-", word] => (*actor, Form::Expects(actor, from_server(word)?)),
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

fn asking(word: &str) -> Result<Asking, String> {
    let known = Asking::ALL.into_iter().find(|asking| asking.word() == word);
    known.ok_or_else(|| unknown_key("action", word, Asking::ALL.iter().map(|asking| asking.word())))
}

fn from_client(word: &str) -> Result<FromClient, String> {
    let known = FromClient::ALL.iter().find(|packet| packet.word() == word).copied();
    known.ok_or_else(|| match is_packet(word) {
        true => format!("{word} is sent by a server: its bytes can be sent with BYTES"),
        false => unknown_key("packet", word, FromClient::ALL.iter().map(|packet| packet.word()).chain([BYTES, TEXT])),
    })
}

fn from_server(word: &str) -> Result<FromServer, String> {
    let known = FromServer::ALL.iter().find(|packet| packet.word() == word).copied();
    known.ok_or_else(|| match is_packet(word) {
        true => format!("{word} is sent by clients only, so it never comes"),
        false => {
            let packets = FromServer::ALL.iter().map(|packet| packet.word());
            unknown_key("packet", word, packets.chain([SILENCE, CLOSED, REJECTED]))
        }
    })
}

fn is_packet(word: &str) -> bool {
    PacketType::ALL.iter().any(|packet| packet.name() == word)
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
