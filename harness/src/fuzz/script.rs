//! From a walk to the steps of a case.

use super::cloud::{Listening, written_topic};
use super::command::{Client, Command, Deed, Terms};
use super::device::{REST, answer_of, is_answer};
use super::names::Names;
use super::notation::{data, fields, hex, text};
use super::walked::{Did, Logged, Walked};
use crate::concealing::Secrets;
use model::packet::{Packet, PacketId, PacketType, Publish, Qos};
use std::collections::{BTreeMap, BTreeSet};

/// Time for what nobody waits for.
const PAUSE: &str = "elapse: 20ms";

/// How the steps of a case keep step with the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// By expecting the answers that the peer gave, and what is acknowledged later.
    Answers,
    /// By time, except for CONNACK. For a peer that answers what none should.
    Time,
}

/// The same walk with a peer that is right, and the client who has something to object to: none if the cloud side has.
pub(super) type Right<'a> = (&'a Walked, Option<Client>);

/// The steps of a walk, one a line. What the peer owes shows by `right`: what came there and not here is expected in the end.
pub(super) fn steps(walked: &Walked, names: &Names, pace: Pace, right: Option<Right<'_>>) -> Vec<String> {
    let secrets = Secrets::of_trace(&walked.trace);
    let mut script = Script {
        walked,
        names,
        pace,
        right,
        secrets,
        steps: Vec::new(),
        open: BTreeMap::new(),
        connected: BTreeSet::new(),
        bound: 0,
        calls: BTreeMap::new(),
        listening: Listening::default(),
    };
    script.introduce();
    for (index, (_, command)) in walked.commands.iter().enumerate() {
        script.command(index, command);
    }
    if let Some((right, client)) = right {
        // What the cloud side objects to may be owed to any of its devices.
        let objecting = Client::first(Client::MOST).filter(|other| client.is_none_or(|client| client == *other));
        objecting.for_each(|client| script.owed(client, right));
        script.owed_to_the_cloud(right);
    }
    script.introduce_devices();
    script.steps
}

pub(super) struct Script<'a> {
    pub(super) walked: &'a Walked,
    pub(super) names: &'a Names,
    pub(super) pace: Pace,
    pub(super) right: Option<Right<'a>>,
    /// What the steps may not show.
    secrets: Secrets,
    pub(super) steps: Vec<String>,
    /// What came on the connection of a client and was not expected yet.
    open: BTreeMap<Client, Vec<Came>>,
    /// The clients whose connection has seen a CONNECT: another one is not accepted.
    connected: BTreeSet<Client>,
    /// Packets that are bound so far.
    bound: usize,
    /// The variables of the requests of calls, by their topics.
    calls: BTreeMap<String, String>,
    pub(super) listening: Listening,
}

/// A packet that came: its type, its identifier, and the topic if it is a PUBLISH.
type Came = (PacketType, Option<PacketId>, Option<String>);

impl Script<'_> {
    /// A client id that is no actor's of this script has to become one's before it can be named.
    fn introduce(&mut self) {
        let acts = |client: &Client| self.walked.log.iter().any(|logged| logged.client == Some(*client));
        let is_named = |client: &Client| {
            self.walked.commands.iter().any(|(_, command)| match command {
                Command::Does(_, Deed::Connect { terms, .. } | Deed::SecondConnect(terms)) => {
                    terms.client_id == client.client_id()
                }
                _ => false,
            })
        };
        for client in Client::first(Client::MOST).filter(|client| is_named(client) && !acts(client)) {
            self.steps.push(format!("{} opens", client.actor()));
            self.steps.push(format!("{} drops", client.actor()));
        }
    }

    fn command(&mut self, index: usize, command: &Command) {
        if let Command::Elapse(milliseconds) = command {
            let time = match milliseconds % 1_000 {
                0 => format!("{}s", milliseconds / 1_000),
                _ => format!("{milliseconds}ms"),
            };
            self.steps.push(format!("elapse: {time}"));
        }
        let walked = self.walked;
        let mut keeps_step = matches!(command, Command::Elapse(_));
        for (position, Logged { client, what, .. }) in
            walked.log.iter().enumerate().filter(|(_, it)| it.command == index)
        {
            let later = &walked.log[position + 1..];
            let Some(client) = client else {
                keeps_step |= self.cloud(what);
                continue;
            };
            match what {
                Did::Open => {
                    self.open.remove(client);
                    self.connected.remove(client);
                    // CONNECT opens by itself.
                    let next = later.iter().find(|logged| logged.client == Some(*client)).map(|logged| &logged.what);
                    if !matches!(next, Some(Did::Send(_))) {
                        self.steps.push(format!("{} opens", client.actor()));
                    }
                }
                Did::Send(packet) => keeps_step |= self.send(*client, packet, terms_of(command), later),
                Did::SendBytes(bytes) => {
                    let bytes = self.secrets.conceal_sent(bytes);
                    self.steps.push(format!("{} -> BYTES: \"{}\"", client.actor(), hex(&bytes)));
                }
                Did::SendText(bytes) => self.steps.push(format!("{} -> TEXT: \"{}\"", client.actor(), hex(bytes))),
                Did::Break => self.steps.push(format!("{} drops", client.actor())),
                // No step has asked for it: bytes are nothing to the case language.
                Did::Receive(packet)
                    if matches!((command, packet.as_ref()), (Command::Does(_, Deed::Frames(_)), Packet::Pingresp)) =>
                {
                    self.steps.push(format!("{} <- PINGRESP", client.actor()));
                }
                Did::Receive(packet) => self.receive(*client, packet, later),
                _ => {}
            }
        }
        if matches!(command, Command::Does(_, Deed::PublishOften { .. })) {
            self.steps.push(format!("elapse: {}ms", REST.as_millis()));
        } else if !keeps_step {
            self.steps.push(PAUSE.to_owned());
        }
    }

    /// A packet goes out. `true` if its answer is expected.
    fn send(&mut self, client: Client, packet: &Packet, terms: Option<&Terms>, later: &[Logged]) -> bool {
        let actor = client.actor();
        let id = self.expect_acknowledged(client, packet);
        let name = packet.packet_type().name();
        self.steps.push(match fields(packet, client, &self.names.of(client), id.as_deref(), terms) {
            Some(fields) => format!("{actor} -> {name}: {}", self.with_call(packet, fields)),
            None => format!("{actor} -> {name}"),
        });
        let Some(answer) = answer(packet) else { return false };
        if answer == PacketType::Connack && !self.connected.insert(client) {
            return false;
        }
        let is_expected = answer == PacketType::Connack || self.pace == Pace::Answers;
        let now = |logged: &&Logged| later.first().is_some_and(|first| first.command == logged.command);
        let came = later.iter().take_while(now).any(|logged| match &logged.what {
            Did::Receive(received) => {
                logged.client == Some(client)
                    && received.packet_type() == answer
                    && (answer == PacketType::Connack || received.packet_id() == packet.packet_id())
            }
            _ => false,
        });
        if is_expected && came {
            self.steps.push(format!("{actor} <- {}", answer.name()));
        }
        is_expected && came
    }

    /// Before an acknowledgement: the packet that it is for, and what came before it. Returns how its identifier is
    /// written.
    fn expect_acknowledged(&mut self, client: Client, packet: &Packet) -> Option<String> {
        let acknowledged = match packet {
            Packet::Puback(_) | Packet::Pubrec(_) => PacketType::Publish,
            Packet::Pubcomp(_) => PacketType::Pubrel,
            _ => return None,
        };
        if self.pace == Pace::Time {
            return None;
        }
        let is_it = |(packet_type, id, _): &Came| *packet_type == acknowledged && *id == packet.packet_id();
        let position = self.open.get(&client)?.iter().position(is_it)?;
        let variable = self.bind(client, position)?;
        Some(format!("{variable}.id"))
    }

    /// Expects what came to a client up to this packet, and binds it. Returns the variable.
    fn bind(&mut self, client: Client, position: usize) -> Option<String> {
        let open = self.open.get_mut(&client)?;
        let bound = open.get(position)?.0;
        let mut kept = Vec::new();
        let mut variable = None;
        for (index, came) in std::mem::take(open).into_iter().enumerate() {
            let packet_type = came.0;
            if packet_type != bound || index > position {
                kept.push(came);
            } else if index < position {
                self.steps.push(format!("{} <- {}", client.actor(), packet_type.name()));
            } else {
                self.bound += 1;
                let name = format!("m{}", self.bound);
                self.steps.push(format!("{} <- {}: {{as: {name}}}", client.actor(), packet_type.name()));
                variable = Some(format!("${name}"));
            }
        }
        *open = kept;
        variable
    }

    /// What a right peer sends at last to this client, and this one does not.
    fn owed(&mut self, client: Client, right: &Walked) {
        let (theirs, ours) = (last_connection(right, client), last_connection(self.walked, client));
        let count = |all: &[&Did], one: &Did| all.iter().filter(|other| is_alike(one, other)).count();
        // Of several that are alike the last ones are missing.
        let is_missing = |position: &usize| {
            let did = theirs[*position];
            count(&theirs[..=*position], did) > count(&ours, did)
        };
        let Some(position) = (0..theirs.len()).find(is_missing) else { return };
        let missing = theirs[position];
        let actor = client.actor();
        let Did::Receive(packet) = missing else {
            self.steps.push(format!("{actor} <- closed"));
            return;
        };
        let packet_type = packet.packet_type();
        let of_type = |did: &&&Did| matches!(did, Did::Receive(packet) if packet.packet_type() == packet_type);
        let open = self.open.get(&client).map_or(0, |open| open.iter().filter(|(it, ..)| *it == packet_type).count());
        let expected = ours.iter().filter(of_type).count().saturating_sub(open);
        let before = theirs[..position].iter().filter(of_type).count().saturating_sub(expected);
        self.steps.extend(std::iter::repeat_n(format!("{actor} <- {packet_type}"), before));
        self.steps.push(match packet.as_ref() {
            // What it brings is a secret.
            Packet::Publish(publish) if self.names.are_of_devices() && is_answer(publish) => {
                format!("{actor} <- PUBLISH: {{topic: {}}}", text(&publish.topic))
            }
            Packet::Publish(publish) => {
                let payload = data(&publish.payload);
                let content = format!("payload: {payload}, qos: {}", publish.qos().value());
                // The platform numbers what it pushes.
                let is_numbered = ["/rrpc/", "/broadcast/request/"].iter().any(|part| publish.topic.contains(part));
                match is_numbered {
                    true => format!("{actor} <- PUBLISH: {{{content}}}"),
                    false => {
                        let topic = text(&self.names.of(client).write(&publish.topic));
                        format!("{actor} <- PUBLISH: {{topic: {topic}, {content}}}")
                    }
                }
            }
            _ => format!("{actor} <- {packet_type}"),
        });
    }

    fn receive(&mut self, client: Client, packet: &Packet, later: &[Logged]) {
        match packet {
            Packet::Publish(publish) if is_answer(publish) && self.uses_answer(client, later) => {
                let name = answer_of(client).replace('$', "");
                let topic = text(&publish.topic);
                self.steps.push(format!("{} <- PUBLISH: {{topic: {topic}, as: {name}}}", client.actor()));
            }
            Packet::Publish(publish) => {
                let topic = publish.topic.to_string();
                self.open.entry(client).or_default().push((PacketType::Publish, packet.packet_id(), Some(topic)));
                if is_answered(publish, later) {
                    self.bind_call(client, &publish.topic);
                }
            }
            Packet::Pubrel(_) => {
                self.open.entry(client).or_default().push((PacketType::Pubrel, packet.packet_id(), None));
            }
            _ => {}
        }
    }

    /// A request of a call that will be answered gets a name at once: who answers may be somebody else, and later.
    fn bind_call(&mut self, client: Client, topic: &str) {
        let Some(last) = self.open.get(&client).map(|open| open.len().saturating_sub(1)) else { return };
        if let Some(variable) = self.bind(client, last) {
            self.calls.insert(topic.to_owned(), variable);
        }
    }

    /// The fields of a PUBLISH that answers a call: its topic has the number of the request.
    fn with_call(&self, packet: &Packet, fields: String) -> String {
        let Packet::Publish(publish) = packet else { return fields };
        let written =
            self.calls.iter().find_map(|(asked, variable)| written_topic(&publish.topic, asked, variable, &fields));
        written.unwrap_or(fields)
    }
}

/// What a CONNECT of this command says.
pub(super) fn terms_of(command: &Command) -> Option<&Terms> {
    match command {
        Command::Does(_, Deed::Connect { terms, .. } | Deed::SecondConnect(terms)) => Some(terms),
        _ => None,
    }
}

/// Whether a request of a call is answered later.
fn is_answered(request: &Publish, later: &[Logged]) -> bool {
    request.topic.contains("/rrpc/")
        && later.iter().any(|logged| match &logged.what {
            Did::Send(packet) => match packet.as_ref() {
                Packet::Publish(publish) => written_topic(&publish.topic, &request.topic, "", "").is_some(),
                _ => false,
            },
            _ => false,
        })
}

/// What a client got on its last connection, in its order.
fn last_connection(walked: &Walked, client: Client) -> Vec<&Did> {
    let its = walked.log.iter().filter(|logged| logged.client == Some(client)).map(|logged| &logged.what);
    let mut got = Vec::new();
    for did in its {
        match did {
            Did::Open => got.clear(),
            Did::Receive(_) | Did::BeClosed => got.push(did),
            _ => {}
        }
    }
    got
}

/// Whether two things that a client got are the same up to what a peer may choose.
fn is_alike(one: &Did, other: &Did) -> bool {
    match (one, other) {
        (Did::Receive(one), Did::Receive(other)) => match (one.as_ref(), other.as_ref()) {
            (Packet::Publish(one), Packet::Publish(other)) => {
                (&one.topic, &one.payload, one.qos()) == (&other.topic, &other.payload, other.qos())
            }
            (one, other) => one.packet_type() == other.packet_type(),
        },
        (Did::BeClosed, Did::BeClosed) => true,
        _ => false,
    }
}

/// What a server must answer at once.
fn answer(packet: &Packet) -> Option<PacketType> {
    match packet {
        Packet::Connect(_) => Some(PacketType::Connack),
        Packet::Publish(publish) => match publish.qos() {
            Qos::AtMostOnce => None,
            Qos::AtLeastOnce => Some(PacketType::Puback),
            Qos::ExactlyOnce => Some(PacketType::Pubrec),
        },
        Packet::Pubrel(_) => Some(PacketType::Pubcomp),
        Packet::Subscribe(_) => Some(PacketType::Suback),
        Packet::Unsubscribe(_) => Some(PacketType::Unsuback),
        Packet::Pingreq => Some(PacketType::Pingresp),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{Ground, Terrain};
    use crate::target::Peer;
    use model::profile::Profile;

    #[test]
    fn a_step_of_bytes_shows_no_password() {
        let profile = Profile::builtin("standard").unwrap();
        let client = Client::first(1).next().unwrap();
        let connect = b"\x10\x1f\0\x04MQTT\x04\xc3\0\x3c\0\x04lamp\0\x02me\0\x09s3cr3t-01";
        let commands = [Command::Does(client, Deed::Malformed(connect))];
        let walked = Terrain::of(profile, Ground::Embedded).repeat(Peer::embedded(profile), &commands, "m").unwrap();
        let steps = steps(&walked, &Names::new(profile, "m", None), Pace::Time, None).join("\n");
        let shown =
            "10 1f 00 04 4d 51 54 54 04 c3 00 3c 00 04 6c 61 6d 70 00 02 6d 65 00 09 2a 2a 2a 2a 2a 2a 2a 2a 2a";
        assert!(steps.contains(&format!("BYTES: \"{shown}\"")), "{steps}");
    }
}
