//! The variables of a script while it is played, and what actors remember.

use super::binding::{Field, Thing, field};
use super::login::LoginFields;
use super::roster::Roster;
use super::template::BuildError;
use super::value::{Bound, Variable};
use model::cloud::{Answer, PlatformMessage};
use model::device::Transport;
use model::nearest::suggestion;
use model::packet::{Packet, PacketId, PacketType, Qos};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};

/// How an actor presents itself when its CONNECT does not say otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Client Identifier.
    pub client_id: String,
    /// User Name.
    pub user_name: Option<String>,
    /// Password.
    pub password: Option<Vec<u8>>,
}

/// User name and password for all connections to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User Name; none for a target that wants none.
    pub user_name: Option<String>,
    /// Password.
    pub password: Option<Vec<u8>>,
}

impl Default for Credentials {
    /// `mqttspec` and `mqttspec`.
    fn default() -> Self {
        Credentials { user_name: Some("mqttspec".to_owned()), password: Some(b"mqttspec".to_vec()) }
    }
}

/// The values of variables, and what an actor fills in by itself.
#[derive(Debug, Clone)]
pub struct Scope {
    topic_prefix: String,
    client_prefix: String,
    credentials: Credentials,
    /// The devices that the actors are, where they are known.
    roster: Option<Roster>,
    /// Who acts, or is looked at.
    acting: String,
    /// The names of the actors, where they are not taken for granted.
    cast: Option<BTreeSet<String>>,
    bindings: BTreeMap<String, Thing>,
    actors: BTreeMap<String, Memory>,
}

/// What an actor remembers.
#[derive(Debug, Clone, Default, Hash)]
struct Memory {
    last_id: Option<PacketId>,
    /// Identifiers that wait for an acknowledgement of this type, oldest first.
    owed: BTreeMap<PacketType, VecDeque<PacketId>>,
}

impl Scope {
    /// A scope for one variant: `$t` (without a slash at its end), `$c` (at most 12 letters and digits), and the
    /// credentials of the target.
    #[must_use]
    pub fn new(topic_prefix: impl Into<String>, client_prefix: impl Into<String>, credentials: Credentials) -> Scope {
        Scope {
            topic_prefix: topic_prefix.into(),
            client_prefix: client_prefix.into(),
            credentials,
            roster: None,
            acting: String::new(),
            cast: None,
            bindings: BTreeMap::new(),
            actors: BTreeMap::new(),
        }
    }

    /// The same, where the actors are devices.
    #[must_use]
    pub fn with_devices(self, roster: Option<Roster>) -> Scope {
        Scope { roster, ..self }
    }

    /// From now on `$t` stands for the topics of this actor, where actors have topics of their own.
    pub fn acts(&mut self, actor: &str) {
        if self.acting != actor {
            actor.clone_into(&mut self.acting);
        }
    }

    /// The devices that the actors are.
    pub(super) fn roster(&self) -> Option<&Roster> {
        self.roster.as_ref()
    }

    /// Whether the script is only looked at.
    pub(super) fn is_to_check(&self) -> bool {
        self.cast.is_some()
    }

    /// A scope that knows the actors of a script, and so refuses every name that is none. When a script is played, the
    /// loader has done that.
    pub(super) fn to_check(actors: BTreeSet<String>) -> Scope {
        let names = actors.iter().map(String::as_str).collect();
        let roster = Some(Roster::made_up(&names, Transport::Plain, "t", "c"));
        Scope { cast: Some(actors), roster, ..Scope::new("t", "c", Credentials::default()) }
    }

    /// How an actor presents itself: with a client id made from its name, and the target's credentials.
    #[must_use]
    pub fn identity(&self, actor: &str) -> Identity {
        let of_device = self.roster.as_ref().and_then(|roster| {
            roster.device(actor)?;
            LoginFields::default().resolve(self, actor).ok()
        });
        of_device.unwrap_or_else(|| Identity {
            client_id: format!("{}{actor}", self.client_prefix),
            user_name: self.credentials.user_name.clone(),
            password: self.credentials.password.clone(),
        })
    }

    /// User Name and Password of who acts; empty where the target wants none.
    pub(super) fn login(&self) -> (String, Vec<u8>) {
        let Identity { user_name, password, .. } = self.identity(&self.acting);
        (user_name.unwrap_or_default(), password.unwrap_or_default())
    }

    /// Whose Client Identifier this is: the actor's that it is the default of.
    pub(super) fn owner_of(&self, client_id: &str) -> Option<&str> {
        self.roster.as_ref()?.actors().find(|actor| self.identity(actor).client_id == client_id)
    }

    /// Binds a packet to a variable, for the `as:` of an expectation.
    pub fn bind(&mut self, name: &str, packet: &Packet) {
        self.bindings.insert(name.to_owned(), Thing::Packet(Box::new(packet.clone())));
    }

    /// Binds a request to the API, so that its answer can name it.
    pub fn bind_request(&mut self, name: &str) {
        self.bindings.insert(name.to_owned(), Thing::Request);
    }

    /// Binds an answer of the API to a variable.
    pub fn bind_answer(&mut self, name: &str, answer: &Answer) {
        self.bindings.insert(name.to_owned(), Thing::Answer(Box::new(answer.clone())));
    }

    /// Binds a message over AMQP to a variable.
    pub fn bind_message(&mut self, name: &str, message: &PlatformMessage) {
        self.bindings.insert(name.to_owned(), Thing::Message(Box::new(message.clone())));
    }

    /// Whether a request to the API is bound to this name.
    pub(super) fn is_request(&self, name: &str) -> bool {
        matches!(self.bindings.get(name), Some(Thing::Request))
    }

    /// Whether a message over AMQP is bound to this name.
    pub(super) fn is_message(&self, name: &str) -> bool {
        matches!(self.bindings.get(name), Some(Thing::Message(_)))
    }

    /// Takes note of a packet that came in on an actor's connection: it may have to be acknowledged. To be called for
    /// each packet once, in the order of their arrival.
    pub fn received(&mut self, actor: &str, packet: &Packet) {
        let answer = match packet {
            Packet::Publish(publish) => match publish.qos() {
                Qos::AtMostOnce => return,
                Qos::AtLeastOnce => PacketType::Puback,
                Qos::ExactlyOnce => PacketType::Pubrec,
            },
            Packet::Pubrec(pubrec) if pubrec.reason.is_error() => return,
            Packet::Pubrec(_) => PacketType::Pubrel,
            Packet::Pubrel(_) => PacketType::Pubcomp,
            _ => return,
        };
        if let Some(id) = packet.packet_id() {
            let waiting = self.memory(actor).owed.entry(answer).or_default();
            // A message that is sent again waits for one acknowledgement still.
            if !waiting.contains(&id) {
                waiting.push_back(id);
            }
        }
    }

    /// The value of a variable.
    pub(super) fn value(&self, variable: &Variable) -> Result<Bound, BuildError> {
        let name = variable.name.as_str();
        let Some(wanted) = &variable.field else {
            return match name {
                "t" => {
                    let own = self.roster.as_ref().and_then(|roster| roster.topics(&self.acting));
                    Ok(Bound::Text(own.unwrap_or_else(|| self.topic_prefix.clone())))
                }
                "c" => Ok(Bound::Text(self.client_prefix.clone())),
                _ if self.bindings.contains_key(name) => {
                    Err(BuildError(format!("`${name}` is no value: write a field of it, such as `${name}.payload`")))
                }
                _ if self.cast.as_ref().is_none_or(|cast| cast.contains(name)) => {
                    Ok(Bound::Text(self.identity(name).client_id))
                }
                _ => Err(self.unknown(variable, &format!("write $${name} if you mean the text"))),
            };
        };
        let Some(thing) = self.bindings.get(name) else {
            if let Some(bound) = self.of_device(name, wanted) {
                return Ok(Bound::Text(bound));
            }
            return Err(self.unknown(variable, &format!("no packet was bound with `as: {name}`")));
        };
        match field(thing, wanted) {
            Field::Is(bound) => Ok(bound),
            Field::Absent => Err(BuildError(format!("`{variable}` has no value: the {} has none", thing.kind()))),
            Field::Unknown => Err(BuildError(format!("`{variable}`: {} has no `{wanted}`", thing.kind()))),
        }
    }

    /// What belongs to the device that an actor is: `$dev.topics`, `$dev.product_key`, `$dev.device_name`.
    fn of_device(&self, actor: &str, wanted: &str) -> Option<String> {
        let roster = self.roster.as_ref()?;
        let device = roster.device(actor)?;
        match wanted {
            "topics" => roster.topics(actor),
            "product_key" => Some(device.product_key().to_owned()),
            "device_name" => Some(device.name().to_owned()),
            _ => None,
        }
    }

    /// A variable that nobody knows was perhaps misspelt; if not, `otherwise` says what to do.
    fn unknown(&self, variable: &Variable, otherwise: &str) -> BuildError {
        let known = self.cast.iter().flatten().chain(self.bindings.keys()).map(String::as_str).chain(["t", "c"]);
        let near = suggestion(&variable.name, known).replace(" `", " `$");
        let what_to_do = if near.is_empty() { format!(": {otherwise}") } else { near };
        BuildError(format!("there is no variable `{variable}`{what_to_do}"))
    }

    /// The next Packet Identifier of an actor.
    pub(super) fn next_id(&mut self, actor: &str) -> PacketId {
        let memory = self.memory(actor);
        let id = memory.last_id.map_or(PacketId::FIRST, PacketId::next);
        memory.last_id = Some(id);
        id
    }

    /// Takes note of an identifier that the script chose, so that no default meets it.
    pub(super) fn uses_id(&mut self, actor: &str, id: PacketId) {
        let memory = self.memory(actor);
        memory.last_id = memory.last_id.max(Some(id));
    }

    /// The oldest identifier that waits for this acknowledgement.
    pub(super) fn oldest_owed(&self, actor: &str, answer: PacketType) -> Option<PacketId> {
        self.actors.get(actor)?.owed.get(&answer)?.front().copied()
    }

    /// Takes note of an acknowledgement that was sent.
    pub(super) fn acknowledged(&mut self, actor: &str, answer: PacketType, id: PacketId) {
        if let Some(waiting) = self.memory(actor).owed.get_mut(&answer) {
            waiting.retain(|waiting| *waiting != id);
        }
    }

    /// Takes note of a CONNECT: what was not acknowledged on the connection before comes again, or never.
    pub(super) fn connects(&mut self, actor: &str) {
        self.memory(actor).owed.clear();
    }

    /// Leaves the variables that `other` has too, with a packet of the same type.
    pub(super) fn keep_common(&mut self, other: &Scope) {
        self.bindings.retain(|name, thing| other.bindings.get(name).is_some_and(|twin| twin.kind() == thing.kind()));
    }

    /// All that changes in it while a script is played.
    pub(crate) fn fingerprint<H: Hasher>(&self, state: &mut H) {
        let Scope { topic_prefix: _, client_prefix: _, credentials: _, roster: _, cast: _, acting, bindings, actors } =
            self;
        (acting, bindings, actors).hash(state);
    }

    fn memory(&mut self, actor: &str) -> &mut Memory {
        self.actors.entry(actor.to_owned()).or_default()
    }
}
