//! Messages on their way to this session: what each may meet there depends on what its client has asked for and the
//! server has taken.

use super::Track;
use super::hypothesis::Hypothesis;
use super::published::Sending;
use super::queue::Queue;
use crate::packet::Qos;
use crate::server::delivery::Forms;
use crate::server::qos_set::QosSet;
use crate::server::retained::Met;
use crate::server::routing::Hearing;
use crate::server::vocabulary::Message;
use crate::server::{ConnectionId, Context, Input, MessageKey, Routing, Session, Shares};
use std::collections::{BTreeMap, BTreeSet};

/// What decides what a message meets, found once for all states that have it in common.
#[derive(Default)]
struct Hearings {
    known: BTreeMap<Hypothesis, BTreeSet<Hearing>>,
    /// Whether there were too many states to find all of it.
    is_partial: bool,
}

impl Hearings {
    fn of(&mut self, context: &Context<'_>, queue: &Queue, hypothesis: &Hypothesis) -> &BTreeSet<Hearing> {
        let Hearings { known, is_partial } = self;
        let bare = hypothesis.bare();
        known.entry(bare.clone()).or_insert_with(|| {
            let hearings = bare.hearings(context, queue);
            *is_partial |= hearings.is_none();
            hearings.unwrap_or_default()
        })
    }
}

impl Track {
    /// A message is on its way to this session.
    pub(in crate::judge) fn float(&mut self, context: &Context<'_>, message: MessageKey, sending: Sending) {
        self.leave_to_joining(context, message);
        let hypotheses = std::mem::take(&mut self.hypotheses);
        let mut hearings = Hearings::default();
        let floating = |hypothesis: Hypothesis| {
            let is_known = hypothesis.session.floats(message);
            if sending == Sending::Repetition && !is_known {
                // It has arrived.
                return hypothesis;
            }
            let mut routing = self.routing(context, hearings.of(context, &self.queue, &hypothesis), message);
            routing.missed |= sending != Sending::First && !is_known;
            hypothesis.change(|session| match session.floating(message, routing) {
                floating if sending == Sending::Another && is_known => floating.repeat(message),
                floating => floating,
            })
        };
        let updated = hypotheses.into_iter().map(floating).collect();
        self.replace_knowing(&hearings, updated);
    }

    /// The states behind what was found with the help of `hearings`.
    fn replace_knowing(&mut self, hearings: &Hearings, hypotheses: BTreeSet<Hypothesis>) {
        match hearings.is_partial {
            true => self.give_up(),
            false => self.replace(hypotheses),
        }
    }

    /// A SUBSCRIBE that waits may come after the message, and its sender inherit it from another member.
    fn leave_to_joining(&mut self, context: &Context<'_>, message: MessageKey) {
        let Message { qos, topic, .. } = *context.vocabulary.of(message);
        if qos == Qos::AtMostOnce {
            return;
        }
        let joins = |filter| context.vocabulary.is_shared(filter) && context.vocabulary.matches(filter, topic);
        for input in self.queue.inputs_mut() {
            let Input::Subscribe { requests, .. } = input else { continue };
            let joining = requests.iter_mut().filter(|request| joins(request.filter));
            joining.for_each(|request| request.inherited.push(message));
        }
    }

    /// Messages on their way may meet what the client has just asked for.
    pub(super) fn reroute(&mut self, context: &Context<'_>) {
        let hypotheses = std::mem::take(&mut self.hypotheses);
        let mut hearings = Hearings::default();
        let rerouting = |hypothesis: Hypothesis| {
            let hearings = hearings.of(context, &self.queue, &hypothesis);
            let floating = hypothesis.session.floating.iter().filter(|floating| !floating.routing.is_overtaken());
            let met: Vec<(MessageKey, Routing)> =
                floating.map(|it| (it.message, self.routing(context, hearings, it.message))).collect();
            let float = |session: Session, (message, routing)| session.floating(message, routing);
            hypothesis.change(|session| met.into_iter().fold(session, float))
        };
        let rerouted = hypotheses.into_iter().map(rerouting).collect();
        self.replace_knowing(&hearings, rerouted);
    }

    /// What a message may meet in any of these cases.
    fn routing(&self, context: &Context<'_>, hearings: &BTreeSet<Hearing>, message: MessageKey) -> Routing {
        let published = context.vocabulary.of(message);
        let met = hearings
            .iter()
            .map(|hearing| hearing.routing(context, published, published.sender == self.sender, Shares::Undecided));
        met.reduce(Routing::or).unwrap_or_else(Routing::none)
    }

    /// A message with RETAIN is on its way: a SUBSCRIBE that waits may meet it, in place of another one.
    pub(in crate::judge) fn retain(&mut self, context: &Context<'_>, message: MessageKey) {
        let topic = context.vocabulary.of(message).topic;
        for input in self.queue.inputs_mut() {
            let Input::Subscribe { requests, .. } = input else { continue };
            for request in requests.iter_mut().filter(|request| context.vocabulary.matches(request.filter, topic)) {
                for met in &mut request.retained {
                    met.certain &= context.vocabulary.of(met.message).topic != topic;
                }
                request.retained.push(Met { message, certain: false });
            }
        }
    }

    /// The server has a message of its own for this session, and may send it at this level.
    pub(in crate::judge) fn offer(&mut self, message: MessageKey, qos: Qos) {
        let due = Forms { qos: QosSet::only(qos), ..Forms::default() };
        self.change_each(|session| session.float(message, Routing { due: due.clone(), ..Routing::none() }));
    }

    /// The server may take this message or leave it: it is never owed.
    pub(in crate::judge) fn doubt(&mut self, message: MessageKey) {
        self.change_each(|session| session.float(message, Routing::none()));
    }

    /// A message of another client was under way before this session was known: what it meets here is open.
    pub(in crate::judge) fn meet(&mut self, message: MessageKey) {
        self.change_each(|session| match session.floats(message) {
            true => session.repeat(message),
            false => session.float(message, Routing::none()),
        });
    }

    /// The server has taken a message over.
    pub(in crate::judge) fn settle(&mut self, context: &Context<'_>, message: MessageKey) {
        self.begin(context, message);
        self.change_floating(message, |session| session.settling(context, message));
    }

    /// The server may have taken a message over.
    pub(in crate::judge) fn settle_doubtful(&mut self, context: &Context<'_>, message: MessageKey) {
        self.begin(context, message);
        self.change_floating(message, |session| session.floating(message, Routing::none()).settling(context, message));
    }

    /// Where this message is on its way, and a CONNECT waits with a SUBSCRIBE behind it that it meets, it may belong to the
    /// session that this one begins.
    fn begin(&mut self, context: &Context<'_>, message: MessageKey) {
        let topic = context.vocabulary.of(message).topic;
        let meets =
            |filter| context.vocabulary.matches(filter, topic) || context.vocabulary.matches_levels(filter, topic);
        let asks = |input: &Input| match input {
            Input::Subscribe { requests, .. } => requests.iter().any(|request| meets(request.filter)),
            _ => false,
        };
        let asking: BTreeSet<ConnectionId> =
            self.queue.lanes().filter(|(_, lane)| lane.since(0).any(asks)).map(|(connection, _)| connection).collect();
        let begins = |hypothesis: &Hypothesis| {
            hypothesis.session.floats(message) && asking.iter().any(|connection| hypothesis.taken(*connection) == 0)
        };
        if self.hypotheses.iter().any(begins) {
            let begun =
                std::mem::take(&mut self.hypotheses).into_iter().flat_map(|hypothesis| match begins(&hypothesis) {
                    true => hypothesis.beginning(context, &self.queue),
                    false => BTreeSet::from([hypothesis]),
                });
            let begun = begun.collect();
            self.replace(begun);
        }
    }

    /// The server has refused a message.
    pub(in crate::judge) fn discard(&mut self, message: MessageKey) {
        self.change_floating(message, |session| session.discard(message));
    }
}
