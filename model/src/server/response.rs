//! The answers that a server owes, each to one packet of the client.

use super::alphabet::Output;
use super::qos_set::QosSet;
use super::rule::{Context, Rule};
use super::session::Session;
use super::vocabulary::FilterKey;
use crate::packet::{PacketId, ProtocolVersion};
use crate::profile::{Offence, Reaction};
use std::fmt;

/// An answer that the server owes, or may give.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Response {
    /// PUBACK, with what its code may tell of.
    Puback(PacketId, Option<Blemish>),
    /// PUBREC, with what its code may tell of.
    Pubrec(PacketId, Option<Blemish>),
    /// PUBREL for a PUBREC that belongs to nothing.
    StrayPubrel(PacketId),
    /// PUBCOMP, and whether the identifier was known.
    Pubcomp(PacketId, bool),
    /// SUBACK, with what is permitted for each filter.
    Suback(PacketId, Vec<Grant>),
    /// UNSUBACK, with whether each filter was subscribed.
    Unsuback(PacketId, Vec<bool>),
    /// PINGRESP.
    Pingresp,
}

/// What is wrong with a PUBLISH that is answered all the same. What must be answered comes first: an answer is for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blemish {
    /// Whether the server may ignore the PUBLISH instead. One state has both: with many such messages at once there would be
    /// a state for every choice.
    pub may_be_ignored: bool,
    /// Whether the server may serve it: then any code is permitted, as where nothing is wrong.
    pub may_be_served: bool,
    /// The offence: the PUBACK reactions to it are permitted.
    pub offence: Offence,
}

/// What a SUBACK code may state for one filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// The filter.
    pub filter: FilterKey,
    /// The grants that are permitted.
    pub granted: QosSet,
    /// What was wrong with the request: the SUBACK reactions to either are permitted.
    pub offences: [Option<Offence>; 2],
    /// Whether the server may refuse without any reason of the client's.
    pub may_refuse: bool,
}

impl Session {
    /// This session with one more answer owed.
    pub(super) fn responding(&self, response: Response) -> Session {
        self.with_link(|link| {
            link.responses.push(response);
            link.responses.sort();
        })
    }

    /// This session without the first answer that fits, and that answer.
    pub(super) fn answered(&self, fits: impl Fn(&Response) -> bool) -> Option<(Session, Response)> {
        let position = self.link.as_ref()?.responses.iter().position(fits)?;
        let mut next = self.clone();
        let response = next.link.as_mut()?.responses.remove(position);
        Some((next, response))
    }

    /// The answers that are owed, in words.
    pub(super) fn waiting_responses(&self) -> String {
        let responses = self.link.as_ref().map_or(&[][..], |link| &link.responses);
        match responses {
            [] => "no answer: none is owed".to_owned(),
            owed => owed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", or "),
        }
    }
}

impl Response {
    /// Whether it must come.
    pub(super) fn is_owed(&self) -> bool {
        match self {
            Response::Puback(_, blemish) | Response::Pubrec(_, blemish) => {
                blemish.is_none_or(|blemish| !blemish.may_be_ignored)
            }
            _ => true,
        }
    }

    /// The rule that demands it.
    pub(super) fn rule(&self) -> Rule {
        match self {
            Response::Puback(..) => Rule::PublishIsAnswered,
            Response::Pubrec(..) => Rule::PublishIsReceived,
            Response::StrayPubrel(_) => Rule::PubrecIsAnswered,
            Response::Pubcomp(..) => Rule::PubrelIsAnswered,
            Response::Suback(..) => Rule::SubscribeIsAnswered,
            Response::Unsuback(..) => Rule::UnsubscribeIsAnswered,
            Response::Pingresp => Rule::PingreqIsAnswered,
        }
    }

    /// The canonical form: full grants, success, and for an offence the preferred code.
    pub(super) fn as_output(&self, context: &Context<'_>, version: ProtocolVersion) -> Output {
        let reactions = |offence: &Option<Offence>| match offence {
            Some(offence) => context.profile.reactions(*offence, version),
            None => &[],
        };
        let of_puback = |reaction: &Reaction| match *reaction {
            Reaction::Puback(code) => Some(code.in_answer()),
            _ => None,
        };
        let of_suback = |reaction: &Reaction| match *reaction {
            Reaction::Suback(code) => Some(code.in_answer()),
            _ => None,
        };
        let code = |blemish: &Option<Blemish>| {
            reactions(&blemish.map(|blemish| blemish.offence)).iter().find_map(of_puback).unwrap_or(0)
        };
        let grant = |grant: &Grant| match grant.granted.iter().last() {
            Some(qos) => qos.value(),
            None => grant.offences.iter().flat_map(reactions).find_map(of_suback).unwrap_or(0x80),
        };
        let not_found = |known: bool| if known || !version.has_properties() { 0 } else { PACKET_IDENTIFIER_NOT_FOUND };
        match self {
            Response::Puback(id, blemish) => Output::Puback { id: *id, code: code(blemish) },
            Response::Pubrec(id, blemish) => Output::Pubrec { id: *id, code: code(blemish) },
            Response::StrayPubrel(id) => Output::Pubrel { id: *id, code: not_found(false) },
            Response::Pubcomp(id, known) => Output::Pubcomp { id: *id, code: not_found(*known) },
            Response::Pingresp => Output::Pingresp,
            Response::Suback(id, grants) => Output::Suback { id: *id, codes: grants.iter().map(grant).collect() },
            Response::Unsuback(id, existed) => Output::Unsuback {
                id: *id,
                codes: match version.has_properties() {
                    true => existed.iter().map(|existed| if *existed { 0 } else { 0x11 }).collect(),
                    false => Vec::new(),
                },
            },
        }
    }
}

/// Reason Code 0x92: no error during recovery (3.6.2.1, 3.7.2.1).
pub(super) const PACKET_IDENTIFIER_NOT_FOUND: u8 = 0x92;

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Response::Puback(id, _) => write!(f, "PUBACK id{id}"),
            Response::Pubrec(id, _) => write!(f, "PUBREC id{id}"),
            Response::StrayPubrel(id) => write!(f, "PUBREL id{id}"),
            Response::Pubcomp(id, _) => write!(f, "PUBCOMP id{id}"),
            Response::Suback(id, grants) => write!(f, "SUBACK id{id} with {} codes", grants.len()),
            Response::Unsuback(id, _) => write!(f, "UNSUBACK id{id}"),
            Response::Pingresp => f.write_str("PINGRESP"),
        }
    }
}
