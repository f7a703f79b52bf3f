//! Offences: the peer must react in one of the ways that the profile permits.

use super::expect::{End, unreadable, untaken};
use super::player::{Halt, Player};
use crate::case::{Step, Window};
use model::packet::{ConnackCode, Packet, PacketType, ProtocolVersion, ReasonCode};
use model::profile::{Offence, Reaction};
use model::wire::Decoder;
use tokio::time::Instant;

/// What a peer did about an offence.
enum Seen {
    /// It answered with a packet that can be a reaction.
    Packet(Box<Packet>),
    /// It closed without a word, and when.
    Closed(Instant),
    /// Its answer makes no sense.
    Senseless(End),
}

impl Player<'_> {
    pub(super) async fn expect_rejected(
        &mut self,
        step: &Step,
        actor: &str,
        offence: Offence,
        within: Option<Window>,
    ) -> Result<(), Halt> {
        let version = self.variant.version;
        let reactions = self.permitted_reactions(offence);
        let may_stay_silent = reactions.iter().any(|one| matches!(one, Reaction::Ignore | Reaction::Accept));
        let deadline = self.deadline(within);
        self.note();
        // The answer to a CONNECT is waited for: no fence can be put behind it.
        let is_connected = self.actors.get(actor).is_some_and(|actor| actor.accepted);
        let may_stay_silent = may_stay_silent && (is_connected || reactions.contains(&Reaction::Ignore));
        let seen = if may_stay_silent && is_connected && within.is_none() {
            // A reaction that is none shows in that everything later is answered: so does any other before it.
            let means = self.fence(step, actor).await?;
            let seen = self.reaction(actor);
            if seen.is_none() {
                self.silence.insert(means);
            }
            seen
        } else {
            self.wait(deadline, |player| player.reaction(actor)).await
        };
        let permitted = Permitted { reactions: &reactions, version };
        if matches!(seen, Some(Seen::Senseless(_))) && self.took_refusal_of_another_version(actor, offence) {
            return self.expect_closed(step, actor, None).await;
        }
        match seen {
            Some(Seen::Closed(at)) => {
                self.knows_closed(actor);
                if !reactions.contains(&Reaction::Close) {
                    return Err(self.not_permitted(step, actor, offence, &reactions, "a close without a word"));
                }
                self.check_window(step, actor, at, within, "the close")
            }
            Some(Seen::Packet(packet)) if permitted.allows(&packet) => {
                if ends_connection(&packet) {
                    self.expect_closed(step, actor, None).await?;
                }
                Ok(())
            }
            Some(Seen::Packet(packet)) => {
                Err(self.not_permitted(step, actor, offence, &reactions, &packet.to_string()))
            }
            Some(Seen::Senseless(end)) => Err(self.ended(step, actor, &Permitted::list(&reactions), end)),
            None if may_stay_silent => Ok(()),
            None => {
                let others = self.inbox(actor, |inbox| untaken(inbox)).flatten();
                let seen = others.unwrap_or_else(|| "the connection goes on as if nothing were wrong".to_owned());
                Err(self.not_permitted(step, actor, offence, &reactions, &seen))
            }
        }
    }

    /// The reactions of this version; where a server cannot know the version, those of any that the dialect has.
    fn permitted_reactions(&self, offence: Offence) -> Vec<Reaction> {
        let others = self.profile.versions.iter().filter(|_| hides_version(offence));
        let mut reactions = Vec::new();
        for version in std::iter::once(&self.variant.version).chain(others) {
            for reaction in self.profile.reactions(offence, *version) {
                if !reactions.contains(reaction) {
                    reactions.push(*reaction);
                }
            }
        }
        reactions
    }

    /// A server cannot answer in a version that it does not know: where the offence hides the version, its CONNACK may be of
    /// any version, as long as it refuses.
    fn took_refusal_of_another_version(&self, actor: &str, offence: Offence) -> bool {
        if !hides_version(offence) {
            return false;
        }
        let refuses = |version: ProtocolVersion, bytes: &[u8]| {
            let mut decoder = Decoder::from_server(version);
            decoder.feed(bytes);
            let reactions = self.profile.reactions(offence, version);
            match decoder.next_packet() {
                Ok(Some(decoded)) => {
                    let is_refusal = ends_connection(&decoded.packet) && decoder.pending() == 0;
                    is_refusal && Permitted { reactions, version }.allows(&decoded.packet)
                }
                Ok(None) | Err(_) => false,
            }
        };
        let took = self.inbox(actor, |inbox| {
            let found = ProtocolVersion::ALL.into_iter().any(|version| refuses(version, &inbox.beginning));
            if found {
                inbox.refusal = None;
            }
            found
        });
        took.unwrap_or(false)
    }

    fn not_permitted(&self, step: &Step, actor: &str, offence: Offence, reactions: &[Reaction], seen: &str) -> Halt {
        let what = format!("the reaction to {offence} is not permitted");
        self.finding(step, Some(actor), &what, &Permitted::list(reactions), seen)
    }

    /// What the peer did so far; takes the packet.
    fn reaction(&mut self, actor: &str) -> Option<Seen> {
        let seen = self.inbox(actor, |inbox| {
            let index = inbox.packets.iter().position(|arrived| is_reaction(&arrived.packet));
            if let Some(arrived) = index.and_then(|index| inbox.packets.remove(index)) {
                return Some(Seen::Packet(Box::new(arrived.packet)));
            }
            unreadable(inbox).map(Seen::Senseless).or(inbox.closed.map(Seen::Closed))
        });
        // Without a connection the script has closed it itself: there is nothing to be seen.
        seen.unwrap_or(None)
    }
}

/// What may follow.
struct Permitted<'a> {
    reactions: &'a [Reaction],
    version: ProtocolVersion,
}

impl Permitted<'_> {
    fn allows(&self, packet: &Packet) -> bool {
        self.reactions.iter().any(|reaction| self.is(*reaction, packet))
    }

    fn is(&self, reaction: Reaction, packet: &Packet) -> bool {
        let admits = |code: model::profile::Code, value| code.admits(value, packet.packet_type(), self.version);
        match (reaction, packet) {
            (Reaction::Disconnect(code), Packet::Disconnect(disconnect)) => admits(code, disconnect.reason.value()),
            (Reaction::Connack(code), Packet::Connack(connack)) => admits(code, connack.code.value()),
            (Reaction::Accept, Packet::Connack(connack)) => connack.code.is_accepted(),
            (Reaction::Puback(code), Packet::Puback(ack) | Packet::Pubrec(ack)) => admits(code, ack.reason.value()),
            (Reaction::Accept, Packet::Puback(ack) | Packet::Pubrec(ack)) => !ack.reason.is_error(),
            (Reaction::Suback(code) | Reaction::SubackThenClose(code), Packet::Suback(suback)) => {
                suback.codes.iter().any(|one| admits(code, one.value()))
            }
            (Reaction::Accept, Packet::Suback(suback)) => !suback.codes.iter().any(|code| code.is_error()),
            _ => false,
        }
    }

    fn list(reactions: &[Reaction]) -> String {
        let list: Vec<String> = reactions.iter().map(ToString::to_string).collect();
        list.join(", or ")
    }
}

/// Whether a packet can be an answer to an offence.
pub(super) fn is_reaction(packet: &Packet) -> bool {
    matches!(
        packet.packet_type(),
        PacketType::Connack | PacketType::Disconnect | PacketType::Puback | PacketType::Pubrec | PacketType::Suback
    )
}

/// Whether an offence leaves the server in the dark about the version.
fn hides_version(offence: Offence) -> bool {
    matches!(
        offence,
        Offence::UnsupportedProtocolVersion | Offence::InvalidProtocolName | Offence::FirstPacketNotConnect
    )
}

/// Whether the connection must end behind this packet.
fn ends_connection(packet: &Packet) -> bool {
    match packet {
        Packet::Disconnect(_) => true,
        Packet::Connack(connack) => match connack.code {
            ConnackCode::Return(code) => code as u8 != 0,
            ConnackCode::Reason(code) => code != ReasonCode::Success,
        },
        _ => false,
    }
}
