//! What stands behind the colon of a step: fields, and among them the reserved keys.

use super::decode::decode;
use super::duration;
use super::fields::{ConnectFields, Incoming, NoFields, Outgoing};
use super::form::{FromClient, FromServer, check_name};
use super::raw::RawFields;
use super::read::{Fault, Reading};
use super::step::Window;
use super::step_fields::{OneOrMany, WhenFields};
use super::yaml::{Content, Entry, Mark, Node};
use model::packet::ProtocolVersion;
use serde::de::DeserializeOwned;

/// Keys with a meaning of their own among the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reserved {
    As,
    Within,
    Raw,
}

/// What stands behind the colon.
pub(super) struct Body<'a> {
    step: Mark,
    node: Option<&'a Node>,
    reading: &'a Reading<'a>,
    pub(super) applies: bool,
    pub(super) bind: Option<String>,
    pub(super) within: Option<Window>,
    pub(super) raw: Option<RawFields>,
    /// The body as the text of the step shows it: without `when`.
    pub(super) shown: Option<String>,
}

impl<'a> Body<'a> {
    pub(super) fn new(step: Mark, node: Option<&'a Node>, reading: &'a Reading<'a>) -> Body<'a> {
        let shown = node.map(Node::to_flow);
        Body { step, node, reading, applies: true, bind: None, within: None, raw: None, shown }
    }

    pub(super) fn mark(&self) -> Mark {
        self.node.map_or(self.step, |node| node.mark)
    }

    /// The steps or alternatives of a block.
    pub(super) fn list(&self) -> Result<&'a [Node], Fault> {
        match self.node.map(|node| &node.content) {
            Some(Content::Sequence(nodes)) if !nodes.is_empty() => Ok(nodes),
            Some(Content::Sequence(_)) => Err((self.mark(), "the list is empty: write steps".to_owned())),
            _ => Err((self.mark(), "expected a list of steps behind the colon".to_owned())),
        }
    }

    /// The fields, with the reserved keys taken out; of these, `when` may always stand.
    pub(super) fn fields<T: DeserializeOwned>(&mut self, reserved: &[Reserved]) -> Result<T, Fault> {
        let entries: &[Entry] = match self.node {
            None => &[],
            Some(Node { content: Content::Mapping(entries), .. }) => entries,
            Some(node) => {
                let what_to_do = if node.describe() == "nothing" { ": leave the colon out" } else { "" };
                let message = format!("expected a map of fields, found {}{what_to_do}", node.describe());
                return Err((node.mark, message));
            }
        };
        let mut fields = Vec::new();
        let mut shown = Vec::new();
        let mut properties = None;
        for entry in entries {
            let permit = |key, why: &str| match reserved.contains(&key) {
                true => Ok(()),
                false => Err((entry.key_mark, format!("`{}` cannot stand here: {why}", entry.key))),
            };
            match entry.key.as_str() {
                "when" => {
                    self.applies = self.when(&entry.value)?;
                    continue;
                }
                "as" => {
                    permit(Reserved::As, "there is no packet to bind")?;
                    let name: String = decode(&entry.value)?;
                    check_name("a packet", &name).map_err(|message| (entry.value.mark, message))?;
                    self.bind = Some(name);
                }
                "within" => {
                    permit(Reserved::Within, "nothing is waited for, or silence is, which has no time")?;
                    let times: OneOrMany<String> = decode(&entry.value)
                        .map_err(|(mark, message)| (mark, format!("{message}: write a time like 5s, or [2s, 5s]")))?;
                    let times: Vec<&str> = times.0.iter().map(String::as_str).collect();
                    self.within = Some(duration::window(&times).map_err(|message| (entry.value.mark, message))?);
                }
                "raw" => {
                    permit(Reserved::Raw, "only what is sent can be made wrong")?;
                    self.raw = Some(decode(&entry.value)?);
                }
                "properties" => {
                    properties = Some(entry.key_mark);
                    fields.push(entry.clone());
                }
                _ => fields.push(entry.clone()),
            }
            shown.push(format!("{}: {}", entry.key, entry.value.to_flow()));
        }
        // `when` may stand behind them.
        let version = self.reading.version;
        if let Some(mark) = properties.filter(|_| self.applies && !version.has_properties()) {
            return Err((mark, format!("{version} has no properties: limit the step with `when: {{mqtt: \"5.0\"}}`")));
        }
        self.shown = (!shown.is_empty()).then(|| format!("{{{}}}", shown.join(", ")));
        decode(&Node { mark: self.mark(), number: 0, content: Content::Mapping(fields) })
    }

    /// Whether the step is for the version that is read.
    fn when(&self, node: &Node) -> Result<bool, Fault> {
        let when: WhenFields = decode(node)?;
        let mut applies = false;
        for text in when.mqtt.0 {
            let version: ProtocolVersion = text.parse().map_err(|message| (node.mark, message))?;
            if !self.reading.versions.contains(&version) {
                return Err((node.mark, format!("`when` names {version}, which is not in `mqtt` of the case")));
            }
            applies |= version == self.reading.version;
        }
        Ok(applies)
    }

    /// A body that is one scalar, or a map with that scalar under `key` and a `when`.
    pub(super) fn scalar_or<T, F>(&mut self, key: &str, take: fn(F) -> T) -> Result<T, Fault>
    where
        T: DeserializeOwned,
        F: DeserializeOwned,
    {
        match self.node {
            None => Err((self.step, format!("`{key}` is missing: write it behind a colon, in quotes"))),
            Some(Node { content: Content::Mapping(_), .. }) => self.fields(&[]).map(take),
            Some(node) => decode(node),
        }
    }

    pub(super) fn outgoing(&mut self, packet: FromClient) -> Result<Outgoing, Fault> {
        const RESERVED: &[Reserved] = &[Reserved::As, Reserved::Raw];
        if packet == FromClient::Auth {
            self.needs_version_5("has no AUTH")?;
        }
        Ok(match packet {
            FromClient::Connect => Outgoing::Connect(Box::new(self.connect(RESERVED)?)),
            FromClient::Publish => Outgoing::Publish(self.fields(RESERVED)?),
            FromClient::Puback => Outgoing::Puback(self.fields(RESERVED)?),
            FromClient::Pubrec => Outgoing::Pubrec(self.fields(RESERVED)?),
            FromClient::Pubrel => Outgoing::Pubrel(self.fields(RESERVED)?),
            FromClient::Pubcomp => Outgoing::Pubcomp(self.fields(RESERVED)?),
            FromClient::Subscribe => Outgoing::Subscribe(self.fields(RESERVED)?),
            FromClient::Unsubscribe => Outgoing::Unsubscribe(self.fields(RESERVED)?),
            FromClient::Pingreq => {
                self.fields::<NoFields>(RESERVED)?;
                Outgoing::Pingreq
            }
            FromClient::Disconnect => Outgoing::Disconnect(self.fields(RESERVED)?),
            FromClient::Auth => Outgoing::Auth(self.fields(RESERVED)?),
        })
    }

    fn connect(&mut self, reserved: &[Reserved]) -> Result<ConnectFields, Fault> {
        let fields: ConnectFields = self.fields(reserved)?;
        let has_will_properties = fields.will.as_ref().is_some_and(|will| !will.properties.is_empty());
        let version = self.reading.version;
        if self.applies && has_will_properties && !version.has_properties() {
            let message =
                format!("a Will of {version} has no properties: limit the step with `when: {{mqtt: \"5.0\"}}`");
            return Err((self.mark(), message));
        }
        Ok(fields)
    }

    pub(super) fn incoming(&mut self, packet: FromServer) -> Result<Incoming, Fault> {
        const RESERVED: &[Reserved] = &[Reserved::As, Reserved::Within];
        match packet {
            FromServer::Disconnect => self.needs_version_5("has no DISCONNECT from a server")?,
            FromServer::Auth => self.needs_version_5("has no AUTH")?,
            _ => {}
        }
        Ok(match packet {
            FromServer::Connack => Incoming::Connack(self.fields(RESERVED)?),
            FromServer::Publish => Incoming::Publish(self.fields(RESERVED)?),
            FromServer::Puback => Incoming::Puback(self.fields(RESERVED)?),
            FromServer::Pubrec => Incoming::Pubrec(self.fields(RESERVED)?),
            FromServer::Pubrel => Incoming::Pubrel(self.fields(RESERVED)?),
            FromServer::Pubcomp => Incoming::Pubcomp(self.fields(RESERVED)?),
            FromServer::Suback => Incoming::Suback(self.fields(RESERVED)?),
            FromServer::Unsuback => Incoming::Unsuback(self.fields(RESERVED)?),
            FromServer::Pingresp => {
                self.fields::<NoFields>(RESERVED)?;
                Incoming::Pingresp
            }
            FromServer::Disconnect => Incoming::Disconnect(self.fields(RESERVED)?),
            FromServer::Auth => Incoming::Auth(self.fields(RESERVED)?),
        })
    }

    /// Refuses a step that is for 3.x too, which `lacks` what it says.
    fn needs_version_5(&self, lacks: &str) -> Result<(), Fault> {
        let when = match self.node.map(|node| &node.content) {
            Some(Content::Mapping(entries)) => entries.iter().find(|entry| entry.key == "when"),
            _ => None,
        };
        let applies = when.map_or(Ok(true), |entry| self.when(&entry.value))?;
        let version = self.reading.version;
        if applies && !version.has_properties() {
            let message = format!("{version} {lacks}: limit the step with `when: {{mqtt: \"5.0\"}}`");
            return Err((self.step, message));
        }
        Ok(())
    }
}
