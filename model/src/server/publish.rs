//! PUBLISH of the client and what answers it: PUBACK, or PUBREC, PUBREL and PUBCOMP.

use super::alias::AliasTable;
use super::alphabet::AliasUse;
use super::response::{Blemish, PACKET_IDENTIFIER_NOT_FOUND, Response};
use super::rule::{Breach, Context, Rule, SeededBug};
use super::session::{Kept, Session};
use super::vocabulary::MessageKey;
use crate::packet::{PacketId, PacketType, Qos, ReasonCode};
use crate::profile::{Code, Feature, Offence, Reaction};

impl Session {
    /// PUBLISH is taken: above QoS 0 it is answered (MQTT-3.3.4-1). Where the message goes is the router's business.
    pub(super) fn publish(
        &self,
        context: &Context<'_>,
        message: MessageKey,
        id: Option<PacketId>,
        alias: Option<AliasUse>,
        offences: &[Offence],
    ) -> Vec<Session> {
        let mut next = self.clone();
        let of_alias = next.resolve_alias(context, message, alias).err();
        let offences: Vec<Offence> = of_alias.into_iter().chain(offences.iter().copied()).collect();
        if offences.is_empty() {
            return vec![next.answering(context, message, id, None)];
        }
        // Any of them may be answered, but it is served only where all of them may be.
        let is_served = offences
            .iter()
            .all(|offence| context.profile.reactions(*offence, self.version()).contains(&Reaction::Accept));
        let mut successors = Vec::new();
        for offence in offences {
            let permitted = context.profile.reactions(offence, self.version());
            let is_answered = is_served || permitted.iter().any(|reaction| matches!(reaction, Reaction::Puback(_)));
            // What a server of QoS 2 has answered it remembers: there it makes a difference whether it has.
            let is_remembered = context.vocabulary.of(message).qos == Qos::ExactlyOnce;
            let may_be_ignored = permitted.contains(&Reaction::Ignore) && !is_remembered;
            let blemish = Blemish { may_be_ignored, may_be_served: is_served, offence };
            let answering = self.answering(context, message, id, Some(blemish));
            let mut instead = vec![(Reaction::Puback(Code::AnyError), answering.clone())];
            if is_served {
                instead.push((Reaction::Accept, answering.clone()));
            }
            if is_answered && may_be_ignored {
                instead.push((Reaction::Ignore, answering));
            }
            successors.extend(self.offend(context, offence, &instead));
        }
        successors.sort();
        successors.dedup();
        successors
    }

    /// The server follows the client's use of a Topic Alias.
    fn resolve_alias(
        &mut self,
        context: &Context<'_>,
        message: MessageKey,
        alias: Option<AliasUse>,
    ) -> Result<(), Offence> {
        let (Some(AliasUse { alias, sets }), Some(link)) = (alias, &mut self.link) else { return Ok(()) };
        if context.has_bug(SeededBug::ForgetsAliases) {
            link.aliases = AliasTable::default();
        }
        let named = sets.then(|| context.vocabulary.of(message).topic);
        let maximum = context.profile.limits().topic_alias_maximum;
        link.aliases.resolve(maximum, alias, named).map(drop)
    }

    /// The answer to a PUBLISH is owed; a QoS 2 message is remembered until its PUBREL.
    fn answering(
        &self,
        context: &Context<'_>,
        message: MessageKey,
        id: Option<PacketId>,
        blemish: Option<Blemish>,
    ) -> Session {
        let Some(id) = id else { return self.clone() };
        if context.vocabulary.of(message).qos < Qos::ExactlyOnce {
            return self.responding(Response::Puback(id, blemish));
        }
        let mut next = self.responding(Response::Pubrec(id, blemish));
        if let Some(kept) = next.kept.as_mut().filter(|kept| !kept.incoming.contains(&id)) {
            kept.incoming.push(id);
            kept.incoming.sort();
        }
        next
    }

    /// Whether a QoS 2 PUBLISH with this identifier is one that the server has already (MQTT-4.3.3-10; 3.1.1:
    /// MQTT-4.3.3-2): then it goes nowhere.
    #[must_use]
    pub fn has_taken(&self, context: &Context<'_>, id: PacketId) -> bool {
        let is_known = |kept: &Kept| kept.incoming.contains(&id);
        self.kept.as_deref().is_some_and(is_known) && !context.has_bug(SeededBug::TakesTwice)
    }

    /// PUBACK comes. A server of 5.0 may refuse a message for reasons of its own, in any code that PUBACK knows.
    pub(super) fn puback(&self, context: &Context<'_>, id: PacketId, code: u8) -> Result<Vec<Session>, Breach> {
        let waiting = |response: &Response| matches!(response, Response::Puback(of, _) if *of == id);
        let (next, response) =
            self.answered(waiting).ok_or_else(|| Breach::of(Rule::PubackNamesItsPublish, self.waiting_responses()))?;
        let Response::Puback(_, blemish) = response else { return Ok(vec![next]) };
        self.check_refusal(context, blemish, PacketType::Puback, code)?;
        Ok(vec![next])
    }

    /// PUBREC comes. One that refuses ends the exchange: the identifier is free again (MQTT-4.3.3-9).
    pub(super) fn pubrec(&self, context: &Context<'_>, id: PacketId, code: u8) -> Result<Vec<Session>, Breach> {
        let waiting = |response: &Response| matches!(response, Response::Pubrec(of, _) if *of == id);
        let (mut next, response) =
            self.answered(waiting).ok_or_else(|| Breach::of(Rule::PubackNamesItsPublish, self.waiting_responses()))?;
        let Response::Pubrec(_, blemish) = response else { return Ok(vec![next]) };
        self.check_refusal(context, blemish, PacketType::Pubrec, code)?;
        if is_error(code)
            && let Some(kept) = &mut next.kept
        {
            kept.incoming.retain(|known| *known != id);
        }
        Ok(vec![next])
    }

    /// What PUBACK and PUBREC may say of an offence.
    fn check_refusal(
        &self,
        context: &Context<'_>,
        blemish: Option<Blemish>,
        packet: PacketType,
        code: u8,
    ) -> Result<(), Breach> {
        let Some(Blemish { may_be_served: false, offence, .. }) = blemish else { return Ok(()) };
        let version = self.version();
        let permitted = context.profile.reactions(offence, version).iter().any(|reaction| match reaction {
            Reaction::Puback(wanted) => wanted.admits(code, packet, version),
            _ => false,
        });
        match permitted {
            true => Ok(()),
            false => Err(Breach::of(Rule::OffenceIsRefused, self.permitted_reactions(context, offence))),
        }
    }

    /// PUBREL of the client is taken. It is answered whether or not its identifier is known (MQTT-4.3.3-11); a dialect
    /// without QoS 2 need not know it.
    pub(super) fn pubrel_taken(&self, context: &Context<'_>, id: PacketId) -> Vec<Session> {
        let known = self.kept.as_ref().is_some_and(|kept| kept.incoming.contains(&id));
        let mut next = self.responding(Response::Pubcomp(id, known));
        if let Some(kept) = next.kept.as_mut().filter(|_| !context.has_bug(SeededBug::NeverFreesIncoming)) {
            kept.incoming.retain(|held| *held != id);
        }
        let mut successors = vec![next];
        if !context.profile.has(Feature::Qos2) {
            successors.extend(self.offend(context, Offence::UnknownPacketIdentifier, &[]));
        }
        successors
    }

    /// PUBCOMP comes.
    pub(super) fn pubcomp(&self, id: PacketId, code: u8) -> Result<Vec<Session>, Breach> {
        let waiting = |response: &Response| matches!(response, Response::Pubcomp(of, _) if *of == id);
        let (next, response) =
            self.answered(waiting).ok_or_else(|| Breach::of(Rule::PubackNamesItsPublish, self.waiting_responses()))?;
        match response {
            Response::Pubcomp(_, true) if code == PACKET_IDENTIFIER_NOT_FOUND => {
                Err(Breach::of(Rule::PubrelIsAnswered, "PUBCOMP with code 0: the identifier is known"))
            }
            _ => Ok(vec![next]),
        }
    }
}

fn is_error(code: u8) -> bool {
    ReasonCode::from_value(code).is_some_and(ReasonCode::is_error)
}
