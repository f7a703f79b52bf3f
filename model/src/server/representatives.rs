//! What a session may send next, as far as anybody could tell it apart.
//!
//! [`outputs`](Session::outputs) names one canonical form of each output: enough for a checker, whose clients look at little.
//! Whoever asks whether a case may fail needs every form that a case could look at. Codes are open-ended, so of each class
//! two stand for all: those that the dialect names, and one more. `accept` has the last word on all of them.

use super::alphabet::{Announcement, Output};
use super::delivery::Progress;
use super::response::{Blemish, Grant, PACKET_IDENTIFIER_NOT_FOUND, Response};
use super::session::{Connection, Moment, Phase, Session};
use super::{ConnectionId, Context};
use crate::packet::{PacketId, ProtocolVersion, Qos};
use crate::profile::{Code, Feature, Reaction};

/// An output that stands for those that nobody could tell from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Representative {
    /// On which connection.
    pub connection: ConnectionId,
    /// Its version, where the session knows it.
    pub version: Option<ProtocolVersion>,
    /// What comes.
    pub output: Output,
}

/// Codes that stand for any that reports a failure.
const ANY_ERROR: [u8; 2] = [0x80, 0x87];
/// Return Codes that stand for any that refuses in a CONNACK of 3.x.
const ANY_REFUSAL: [u8; 2] = [2, 5];
const NO_MATCHING_SUBSCRIBERS: u8 = 0x10;
const NO_SUBSCRIPTION_EXISTED: u8 = 0x11;
const KEEP_ALIVE_TIMEOUT: u8 = 0x8D;
const SESSION_TAKEN_OVER: u8 = 0x8E;
const QUOTA_EXCEEDED: u8 = 0x97;

impl Session {
    /// What may come next. Messages on their way are taken for arrived.
    pub(crate) fn representatives(&self, context: &Context<'_>, moment: Moment) -> Vec<Representative> {
        let floating = self.floating.iter().map(|floating| floating.message);
        let arrived = floating.fold(self.clone(), |session, message| session.settling(context, message));
        let version_of = |connection: ConnectionId| {
            let mut known = arrived.link.iter().chain(&arrived.refused);
            known.find(|link| link.id == connection).map(|link| link.version)
        };
        let canonical = arrived.outputs(context, moment).into_iter().flat_map(|(connection, output)| {
            let version = version_of(connection);
            let farewell = match (version, &output) {
                // What replaces a connection may be told to it.
                (None, Output::Close) => Some(Output::Disconnect { code: SESSION_TAKEN_OVER }),
                (Some(ProtocolVersion::V5_0), Output::Close) => Some(Output::Disconnect { code: KEEP_ALIVE_TIMEOUT }),
                _ => None,
            };
            farewell.into_iter().chain([output]).map(move |output| Representative { connection, version, output })
        });
        let mut all: Vec<Representative> = canonical.collect();
        for link in arrived.link.iter().chain(&arrived.refused) {
            let outputs = link.reactions(context).into_iter().chain(link.answers(context));
            let on_link =
                outputs.map(|output| Representative { connection: link.id, version: Some(link.version), output });
            all.extend(on_link);
        }
        if let Some(link) = arrived.link.as_ref().filter(|link| link.phase == Phase::Connected) {
            let repeated = arrived.repetitions(context, link).into_iter();
            let on_link =
                repeated.map(|output| Representative { connection: link.id, version: Some(link.version), output });
            all.extend(on_link);
        }
        all.extend(all.clone().into_iter().filter_map(Representative::with_dup));
        all
    }

    /// 3.x lets a sender repeat what is not acknowledged at any time (V31-17; 3.1.1, 4.4).
    fn repetitions(&self, context: &Context<'_>, link: &Connection) -> Vec<Output> {
        if link.version.has_properties() {
            return Vec::new();
        }
        let again = |delivery: &super::delivery::Delivery| match delivery.progress {
            Progress::Open(id) => Some(Output::Publish {
                content: context.vocabulary.of(delivery.message).content(link.version),
                qos: delivery.forms.qos.iter().last().filter(|qos| *qos > Qos::AtMostOnce)?,
                id: Some(id),
                dup: true,
                retain: delivery.forms.retain.admits(true),
                identifiers: Vec::new(),
                expiry: None,
            }),
            Progress::Released(id, _) => Some(Output::Pubrel { id, code: 0 }),
            _ => None,
        };
        self.kept.iter().flat_map(|kept| &kept.deliveries).filter_map(again).collect()
    }
}

impl Representative {
    /// The same PUBLISH with DUP: what was perhaps sent on a connection that broke may come with it or without.
    fn with_dup(mut self) -> Option<Representative> {
        match &mut self.output {
            Output::Publish { id: Some(_), dup, .. } if !*dup => *dup = true,
            _ => return None,
        }
        Some(self)
    }
}

impl Connection {
    /// The reactions to what the client did, where it ends the connection.
    fn reactions(&self, context: &Context<'_>) -> Vec<Output> {
        let Phase::Condemned { offence, greeted } = self.phase else { return Vec::new() };
        let reactions = context.profile.reactions(offence, self.version).iter();
        let outputs = reactions.flat_map(|reaction| match *reaction {
            Reaction::Close => vec![Output::Close],
            Reaction::Disconnect(code) if greeted => {
                codes(code, ANY_ERROR).into_iter().map(|code| Output::Disconnect { code }).collect()
            }
            Reaction::Connack(code) if !greeted => {
                let any = if self.version.has_properties() { ANY_ERROR } else { ANY_REFUSAL };
                let refusal =
                    |code| Output::Connack { session_present: false, code, announced: Announcement::default() };
                codes(code, any).into_iter().map(refusal).collect()
            }
            _ => Vec::new(),
        });
        outputs.collect()
    }

    /// The answers that are owed, with every code that stands for others.
    fn answers(&self, context: &Context<'_>) -> Vec<Output> {
        if self.phase != Phase::Connected {
            return Vec::new();
        }
        self.responses.iter().flat_map(|response| self.forms_of(context, response)).collect()
    }

    fn forms_of(&self, context: &Context<'_>, response: &Response) -> Vec<Output> {
        let has_codes = self.version.has_properties();
        match response {
            Response::Puback(id, blemish) if has_codes => {
                let form = |code| Output::Puback { id: *id, code };
                self.publish_codes(context, *blemish).into_iter().map(form).collect()
            }
            Response::Pubrec(id, blemish) if has_codes => {
                let form = |code| Output::Pubrec { id: *id, code };
                self.publish_codes(context, *blemish).into_iter().map(form).collect()
            }
            Response::StrayPubrel(id) if has_codes => {
                [0, PACKET_IDENTIFIER_NOT_FOUND].map(|code| Output::Pubrel { id: *id, code }).to_vec()
            }
            Response::Pubcomp(id, false) if has_codes => {
                [0, PACKET_IDENTIFIER_NOT_FOUND].map(|code| Output::Pubcomp { id: *id, code }).to_vec()
            }
            Response::Suback(id, grants) => {
                let options: Vec<Vec<u8>> = grants.iter().map(|grant| self.grant_codes(context, grant)).collect();
                let form = |codes| Output::Suback { id: *id, codes };
                combinations(&options).into_iter().map(form).collect()
            }
            Response::Unsuback(id, existed) if has_codes => unsubacks(context, *id, existed),
            _ => Vec::new(),
        }
    }

    /// What PUBACK or PUBREC may say.
    fn publish_codes(&self, context: &Context<'_>, blemish: Option<Blemish>) -> Vec<u8> {
        let mut all = Vec::new();
        if blemish.is_none_or(|blemish| blemish.may_be_served) {
            let refusal = (!context.profile.promises(Feature::FullService)).then_some(QUOTA_EXCEEDED);
            all.extend([0, NO_MATCHING_SUBSCRIBERS].into_iter().chain(refusal));
        }
        let reactions = |blemish: Blemish| context.profile.reactions(blemish.offence, self.version);
        let said = blemish.into_iter().flat_map(reactions).flat_map(|reaction| match *reaction {
            Reaction::Puback(code) => codes(code, ANY_ERROR),
            _ => Vec::new(),
        });
        all.extend(said);
        all.sort_unstable();
        all.dedup();
        all
    }

    /// What SUBACK may say of a filter.
    fn grant_codes(&self, context: &Context<'_>, grant: &Grant) -> Vec<u8> {
        let granted = grant.granted.iter().map(Qos::value);
        let refuses = grant.may_refuse && !context.profile.promises(Feature::FullService);
        let refused = refuses.then_some(if self.version.has_properties() { QUOTA_EXCEEDED } else { 0x80 });
        let reactions = |offence| context.profile.reactions(offence, self.version);
        let reacted = grant.offences.into_iter().flatten().flat_map(reactions).flat_map(|reaction| match *reaction {
            Reaction::Suback(code) | Reaction::SubackThenClose(code) => codes(code, ANY_ERROR),
            _ => Vec::new(),
        });
        let mut all: Vec<u8> = granted.chain(refused).chain(reacted).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// What UNSUBACK of 5.0 may say.
fn unsubacks(context: &Context<'_>, id: PacketId, existed: &[bool]) -> Vec<Output> {
    let refusal = (!context.profile.promises(Feature::FullService)).then_some(ANY_ERROR[1]);
    let code = |existed: &bool| match existed {
        true => [0].into_iter().chain(refusal).collect(),
        false => [NO_SUBSCRIPTION_EXISTED, 0].into_iter().chain(refusal).collect(),
    };
    let options: Vec<Vec<u8>> = existed.iter().map(code).collect();
    combinations(&options).into_iter().map(|codes| Output::Unsuback { id, codes }).collect()
}

/// The codes that stand for what a reaction may say.
fn codes(code: Code, any: [u8; 2]) -> Vec<u8> {
    match code {
        Code::Exactly(code) => vec![code],
        Code::AnyError => any.to_vec(),
    }
}

/// Every list with one of each; where there are too many, those that differ from the first in one place only.
fn combinations(options: &[Vec<u8>]) -> Vec<Vec<u8>> {
    const MOST: usize = 16;
    let count = options.iter().try_fold(1_usize, |count, options| count.checked_mul(options.len()));
    if count.is_some_and(|count| count <= MOST) {
        let none = vec![Vec::new()];
        return options.iter().fold(none, |lists, options| {
            lists.iter().flat_map(|list| options.iter().map(|code| [list.as_slice(), &[*code]].concat())).collect()
        });
    }
    let Some(first) = options.iter().map(|options| options.first().copied()).collect::<Option<Vec<u8>>>() else {
        return Vec::new();
    };
    let varied = options.iter().enumerate().flat_map(|(place, options)| {
        let first = &first;
        options.iter().skip(1).map(move |code| {
            let mut list = first.clone();
            list[place] = *code;
            list
        })
    });
    std::iter::once(first.clone()).chain(varied).collect()
}
