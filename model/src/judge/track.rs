//! The set of model states that explain what was seen of one session.
//!
//! What a client has sent is taken by the server at a time that nobody sees. So inputs wait in a queue, and a hypothesis
//! takes the next one only when an output cannot be explained without it: taking later explains as much, because an
//! input changes only what may come after it. Where an input that waits gives an output another meaning, both are followed.
//! So is what the end of a connection leaves open: only what comes next shows how much of the queue the server has still
//! taken, and the set forks then.

use super::hypothesis::{CAP, Hypothesis, is_last_word};
use super::queue::{Lane, Queue};
use super::under_way::{Decided, Fate, Sent, UnderWay};
use crate::packet::{PacketId, Qos};
use crate::profile::Feature;
use crate::server::delivery::{Delivery, Forms};
use crate::server::mentions::Live;
use crate::server::qos_set::QosSet;
use crate::server::retained::Met;
use crate::server::routing::Hearing;
use crate::server::session::{Phase, Subscription};
use crate::server::vocabulary::{Message, SenderKey};
use crate::server::{
    Breach, ConnectionId, Context, FilterKey, Input, MessageKey, Millis, Moment, Output, Representative, Routing, Rule,
    Session, Shares, TopicKey,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// A message above QoS 0 whose exchange is not complete.
#[derive(Debug, Clone, Copy, Hash)]
pub(super) struct Unanswered {
    pub(super) message: MessageKey,
    /// How often it was sent, and may be taken for a new one each time.
    pub(super) times: u8,
    /// Whether PUBREC has come.
    pub(super) received: bool,
    /// The connection on which it was sent first, or again as a new one: its ordinal.
    pub(super) first: u32,
}

/// Whether a message that is on its way has been sent before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    /// It has not.
    First,
    /// It has, and a server that has taken the first copy takes this one for no new message.
    Repetition,
    /// It has, and may be taken for a new message.
    Another,
}

/// What is known of one session.
#[derive(Debug, Clone, Hash)]
pub(super) struct Track {
    /// Whose it is.
    sender: SenderKey,
    hypotheses: BTreeSet<Hypothesis>,
    /// Inputs that some hypothesis has not taken.
    queue: Queue,
    /// Messages of this client that wait for PUBACK or PUBCOMP, on whatever connection they were sent.
    pub(super) open: BTreeMap<PacketId, Unanswered>,
    /// Messages of this client that the server may still take.
    under_way: UnderWay,
    /// How many connections it has had and lost, both counted.
    connections: u32,
    following: Following,
}

/// How a session is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Following {
    /// All that the server does is explained.
    Strictly,
    /// The client has sent what is malformed, and its version lets a server make anything of it (3.1): what cannot be explained
    /// may come from that, and ends the following.
    Leniently,
    /// No more: after a violation no state explains the session.
    NoMore,
    /// No more: too many states explain it.
    Overflowed,
}

/// What decides what a message meets, found once for all states that have it in common.
#[derive(Default)]
struct Hearings(BTreeMap<Hypothesis, BTreeSet<Hearing>>);

impl Hearings {
    fn of(&mut self, context: &Context<'_>, queue: &Queue, hypothesis: &Hypothesis) -> &BTreeSet<Hearing> {
        let bare = hypothesis.bare();
        self.0.entry(bare.clone()).or_insert_with(|| bare.hearings(context, queue))
    }
}

impl Track {
    /// The session of a client that nothing is known of: it has no state.
    pub(super) fn new(sender: SenderKey) -> Track {
        Track {
            sender,
            hypotheses: BTreeSet::from([Hypothesis::begin(Session::default())]),
            queue: Queue::default(),
            open: BTreeMap::new(),
            under_way: UnderWay::default(),
            connections: 0,
            following: Following::Strictly,
        }
    }

    /// A connection that never became a session: the model's state is given.
    pub(super) fn starting_with(sender: SenderKey, sessions: Vec<Session>) -> Track {
        let mut queue = Queue::default();
        sessions.iter().filter_map(|session| session.link.as_ref()).for_each(|link| queue.begun(link.id));
        let hypotheses = sessions.into_iter().map(Hypothesis::begin).collect();
        Track { hypotheses, queue, ..Track::new(sender) }
    }

    /// Stops judging: after a violation no state explains this session any more.
    pub(super) fn abandon(&mut self) {
        self.leave(Following::NoMore);
    }

    fn leave(&mut self, following: Following) {
        self.following = following;
        self.hypotheses.clear();
        self.queue.clear();
    }

    /// From here on the server may make anything of what its client has sent.
    pub(super) fn follow_leniently(&mut self) {
        if self.following == Following::Strictly {
            self.following = Following::Leniently;
        }
    }

    /// Something cannot be explained. Whether that is no violation: then the session is followed no more.
    fn may_go_its_way(&mut self) -> bool {
        let is_lenient = self.following == Following::Leniently;
        if is_lenient {
            self.abandon();
        }
        is_lenient
    }

    fn is_left(&self) -> bool {
        matches!(self.following, Following::NoMore | Following::Overflowed)
    }

    /// Why there is no verdict, if there is none.
    pub(super) fn overflow(&self) -> Option<String> {
        (self.following == Following::Overflowed)
            .then(|| format!("more than {CAP} states of the model explain a session; the judge follows no more"))
    }

    /// Adds the tokens that the track holds.
    pub(super) fn mention(&self, live: &mut Live) {
        self.hypotheses.iter().for_each(|hypothesis| hypothesis.session.mention(live));
        self.queue.lanes().flat_map(|(_, lane)| lane.since(0)).for_each(|input| input.mention(live));
        live.messages.extend(self.open.values().map(|unanswered| unanswered.message));
        live.messages.extend(self.under_way());
    }

    /// How many states explain what was seen.
    pub(super) fn states(&self) -> usize {
        self.hypotheses.len()
    }

    /// Whether nothing that comes on this connection can reach the session any more: it has been replaced or refused.
    pub(super) fn is_out(&self, connection: ConnectionId) -> bool {
        let may_hear = |hypothesis: &Hypothesis| hypothesis.may_hear(connection);
        !self.is_left() && (self.queue.lane(connection).is_none() || !self.hypotheses.iter().any(may_hear))
    }

    /// Messages that may not have reached other sessions yet, each as often as it was sent.
    pub(super) fn under_way(&self) -> impl Iterator<Item = MessageKey> {
        self.under_way.messages()
    }

    /// Which of the client's connections this is: its ordinal.
    pub(super) fn ordinal(&self, connection: ConnectionId) -> u32 {
        self.queue.lane(connection).map_or(self.queue.latest(), Lane::ordinal)
    }

    /// What a PUBLISH that was sent before is: at QoS 1 a server may take each for a new message (4.3.2), at QoS 2 only one
    /// whose session has ended meanwhile.
    pub(super) fn sending(
        &self,
        context: &Context<'_>,
        connection: ConnectionId,
        qos: Qos,
        again: Option<Unanswered>,
    ) -> Sending {
        // Connections that are open at once are read in any order.
        let is_forgotten = |first: u32| {
            let begins = |ordinal| {
                self.hypotheses.iter().any(|hypothesis| hypothesis.may_begin_after(context, &self.queue, ordinal))
            };
            begins(first) || begins(self.ordinal(connection))
        };
        match again {
            None => Sending::First,
            Some(known) if qos == Qos::ExactlyOnce && !is_forgotten(known.first) => Sending::Repetition,
            Some(_) => Sending::Another,
        }
    }

    /// Whether the server may hold a QoS 2 message of the client with this identifier, or be about to. Its client may have
    /// forgotten it: with a Clean Session whose CONNECT the server has never read.
    pub(super) fn may_hold(&self, context: &Context<'_>, id: PacketId) -> bool {
        let holds = |session: &Session| session.kept.as_ref().is_some_and(|kept| kept.incoming.contains(&id));
        self.open.contains_key(&id)
            || self.hypotheses.iter().any(|hypothesis| holds(&hypothesis.session))
            || self.under_way.with_id(id).any(|message| context.vocabulary.of(message).qos == Qos::ExactlyOnce)
    }

    /// Whether the session may have begun after this connection: what it had then of QoS 2 may be lost with its predecessor.
    pub(super) fn may_have_begun_after(&self, ordinal: u32) -> bool {
        self.hypotheses.iter().any(|hypothesis| hypothesis.has_begun_after(ordinal))
    }

    /// Whether the session has begun after this connection.
    pub(super) fn has_begun_after(&self, ordinal: u32) -> bool {
        self.hypotheses.iter().all(|hypothesis| hypothesis.has_begun_after(ordinal))
    }

    /// The server has answered a message.
    pub(super) fn answered(&mut self, message: MessageKey) {
        self.under_way.answered(message);
    }

    /// A PUBCOMP has come, and the exchange of this message is over on its connection. Tells whether a copy is on its way on
    /// another one: there it is new.
    pub(super) fn completed(&mut self, connection: ConnectionId, message: MessageKey) -> bool {
        let Track { hypotheses, queue, under_way, .. } = self;
        let waits = |sent: &Sent| hypotheses.iter().any(|hypothesis| hypothesis.taken(sent.connection) <= sent.number);
        under_way.completed(message, |sent| {
            sent.connection != connection && queue.lane(sent.connection).is_some() && waits(sent)
        });
        self.under_way().any(|other| other == message)
    }

    /// A PUBACK has come: what it acknowledges, and whether that is on its way once more. A server of QoS 1 may take the
    /// other copy for a new message (4.3.2).
    pub(super) fn acknowledged(&mut self, connection: ConnectionId, id: PacketId) -> Option<(MessageKey, bool)> {
        let message = self.under_way.acknowledged(connection, id)?;
        if self.open.get(&id).is_some_and(|open| open.message == message) {
            self.open.remove(&id);
        }
        Some((message, self.under_way().any(|other| other == message)))
    }

    /// The client has sent something that the server will take.
    pub(super) fn push(&mut self, context: &Context<'_>, at: Millis, connection: ConnectionId, input: Input) {
        if self.is_left() {
            return;
        }
        self.notice(context, at);
        self.connections += u32::from(matches!(input, Input::Connect(_) | Input::Disconnect { .. } | Input::Lost));
        let reroutes = input.changes_subscriptions();
        let published = match input {
            Input::Publish { message, id, .. } => Some((message, id)),
            _ => None,
        };
        let number = self.queue.push(connection, at, input);
        if let Some((number, (message, id))) = number.zip(published) {
            self.under_way.sent(Sent { message, id, connection, number });
        }
        self.trim();
        if reroutes {
            self.reroute(context);
        }
    }

    /// Messages on their way may meet what the client has just asked for.
    fn reroute(&mut self, context: &Context<'_>) {
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
        self.replace(rerouted);
    }

    /// What a message may meet in any of these cases.
    fn routing(&self, context: &Context<'_>, hearings: &BTreeSet<Hearing>, message: MessageKey) -> Routing {
        let published = context.vocabulary.of(message);
        let met = hearings
            .iter()
            .map(|hearing| hearing.routing(context, published, published.sender == self.sender, Shares::Undecided));
        met.reduce(Routing::or).unwrap_or_else(Routing::none)
    }

    /// A message is on its way to this session.
    pub(super) fn float(&mut self, context: &Context<'_>, message: MessageKey, sending: Sending) {
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
        self.replace(updated);
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

    /// The server has a message of its own for this session, and may send it at this level.
    pub(super) fn offer(&mut self, message: MessageKey, qos: Qos) {
        let due = Forms { qos: QosSet::only(qos), ..Forms::default() };
        self.change_each(|session| session.float(message, Routing { due: due.clone(), ..Routing::none() }));
    }

    /// The server may take this message or leave it: it is never owed.
    pub(super) fn doubt(&mut self, message: MessageKey) {
        self.change_each(|session| session.float(message, Routing::none()));
    }

    /// A message of another client was under way before this session was known: what it meets here is open.
    pub(super) fn meet(&mut self, message: MessageKey) {
        self.change_each(|session| match session.floats(message) {
            true => session.repeat(message),
            false => session.float(message, Routing::none()),
        });
    }

    /// A message with RETAIN is on its way: a SUBSCRIBE that waits may meet it, in place of another one.
    pub(super) fn retain(&mut self, context: &Context<'_>, message: MessageKey) {
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

    /// How often a connection of this client has come or gone.
    pub(super) fn connections(&self) -> u32 {
        self.connections
    }

    /// Messages above QoS 0 that a server may give to another member of this Shared Subscription once this session ends, and
    /// how often it has each.
    pub(super) fn may_leave(&self, context: &Context<'_>, filter: FilterKey) -> BTreeMap<MessageKey, usize> {
        let is_meant = |message: MessageKey| {
            let published = context.vocabulary.of(message);
            published.qos > Qos::AtMostOnce && context.vocabulary.matches(filter, published.topic)
        };
        // Of QoS 2 only what has not begun: the rest is for this client or for nobody (5.0: MQTT-4.8.2-4, MQTT-4.8.2-5).
        let may_go = |delivery: &&Delivery| {
            delivery.shares.contains(&filter)
                && (delivery.forms.qos != QosSet::only(Qos::ExactlyOnce) || delivery.progress.id().is_none())
        };
        let reached = self.hypotheses.iter().flat_map(|hypothesis| hypothesis.reachable(context, &self.queue));
        let mut most: BTreeMap<MessageKey, usize> = BTreeMap::new();
        for Session { kept, floating, .. } in reached.map(|member| member.session) {
            // Whether it still is a member does not matter to what it was chosen for.
            let held = kept.iter().flat_map(|kept| &kept.deliveries).filter(may_go);
            let held = held.map(|delivery| (delivery.message, 1));
            // What is still on its way to the member may reach it, and then not stay with it.
            let coming = floating
                .iter()
                .filter(|floating| floating.routing.shares.contains(&filter) && floating.routing.may_come());
            let coming = coming.map(|floating| (floating.message, usize::from(floating.copies().further_copies) + 1));
            let mut copies: BTreeMap<MessageKey, usize> = BTreeMap::new();
            for (message, times) in held.chain(coming).filter(|(message, _)| is_meant(*message)) {
                *copies.entry(message).or_default() += times;
            }
            for (message, times) in copies {
                let known = most.entry(message).or_default();
                *known = times.max(*known);
            }
        }
        most
    }

    /// The Shared Subscription that a message can only have met in this session.
    pub(super) fn only_share(&self, context: &Context<'_>, message: MessageKey) -> Option<FilterKey> {
        let topic = context.vocabulary.of(message).topic;
        let reached = self.hypotheses.iter().flat_map(|hypothesis| hypothesis.reachable(context, &self.queue));
        let held = reached.flat_map(|one| one.session.kept).flat_map(|kept| kept.into_inner().subscriptions);
        let met: BTreeSet<FilterKey> =
            held.map(|held| held.filter).filter(|filter| context.vocabulary.matches(*filter, topic)).collect();
        let mut met = met.into_iter();
        met.next().filter(|filter| met.next().is_none() && context.vocabulary.is_shared(*filter))
    }

    /// The Shared Subscriptions that certainly meet a message in this session, and on terms on which it arrives.
    pub(super) fn certain_shares(&self, context: &Context<'_>, message: MessageKey) -> BTreeSet<FilterKey> {
        let published = context.vocabulary.of(message);
        let arrives = |held: &Subscription| {
            let levels = held.terms.delivered_qos(context, published.qos);
            !levels.contains(Qos::AtMostOnce) || context.profile.promises(Feature::Qos0Arrives)
        };
        let meets = |held: &Subscription| {
            let fits = context.vocabulary.matches(held.filter, published.topic);
            context.vocabulary.is_shared(held.filter) && fits && held.pending.is_none() && arrives(held)
        };
        let groups = |hypothesis: &Hypothesis| -> BTreeSet<FilterKey> {
            let kept = hypothesis.session.kept.iter();
            kept.flat_map(|kept| &kept.subscriptions).filter(|held| meets(held)).map(|held| held.filter).collect()
        };
        let all = self.hypotheses.iter().map(groups);
        all.reduce(|one, other| one.intersection(&other).copied().collect()).unwrap_or_default()
    }

    /// Whether the client has certainly subscribed to a topic.
    pub(super) fn is_certainly_subscribed(&self, context: &Context<'_>, topic: TopicKey) -> bool {
        let meets = |held: &Subscription| held.pending.is_none() && context.vocabulary.matches(held.filter, topic);
        let holds = |hypothesis: &Hypothesis| {
            hypothesis.session.kept.as_ref().is_some_and(|kept| kept.subscriptions.iter().any(meets))
        };
        !self.hypotheses.is_empty() && self.hypotheses.iter().all(holds)
    }

    /// Whether this session is certainly a member of a group, connected, and has no delivery under way.
    pub(super) fn is_ready_for(&self, context: &Context<'_>, filter: FilterKey) -> bool {
        let is_ready = |hypothesis: &Hypothesis| {
            let Session { link: Some(link), kept: Some(kept), .. } = &hypothesis.session else { return false };
            let is_member = kept.subscriptions.iter().any(|held| held.filter == filter);
            link.phase == Phase::Connected && is_member && kept.open_deliveries(context) == 0
        };
        !self.hypotheses.is_empty() && self.hypotheses.iter().all(is_ready)
    }

    /// Whether a Will of this client may have been published by now.
    pub(super) fn may_publish_will(
        &self,
        context: &Context<'_>,
        message: MessageKey,
        moment: Moment,
        early: Millis,
    ) -> bool {
        let possible = |session: &Session| session.possible_wills(moment, early).any(|will| will == message);
        self.is_left() || self.in_some_future(context, possible)
    }

    /// Whether a Will of this client must have been published by now.
    pub(super) fn must_publish_will(&self, context: &Context<'_>, message: MessageKey, now: Millis) -> bool {
        !self.hypotheses.is_empty()
            && self.hypotheses.iter().all(|hypothesis| {
                let mut ends = self.at_rest(context, hypothesis);
                ends.all(|one| one.session.overdue_wills(now).any(|will| will == message))
            })
    }

    /// Whether a Will may still be published at some time.
    pub(super) fn holds_will(&self, context: &Context<'_>, message: MessageKey) -> bool {
        self.in_some_future(context, |session| session.holds_will(message))
    }

    /// Whether this is so in a state that explains what was seen, or in one that follows as the server takes the queue.
    fn in_some_future(&self, context: &Context<'_>, holds: impl Fn(&Session) -> bool) -> bool {
        let reached = self.hypotheses.iter().flat_map(|hypothesis| hypothesis.reachable(context, &self.queue));
        reached.into_iter().any(|one| holds(&one.session))
    }

    /// The server has published a Will.
    pub(super) fn publish_will(&mut self, message: MessageKey) {
        self.change_each(|session| session.without_will(message));
    }

    /// The server has taken a message over.
    pub(super) fn settle(&mut self, context: &Context<'_>, message: MessageKey) {
        self.begin(context, message);
        self.change_floating(message, |session| session.settling(context, message));
    }

    /// The server may have taken a message over.
    pub(super) fn settle_doubtful(&mut self, context: &Context<'_>, message: MessageKey) {
        self.begin(context, message);
        self.change_floating(message, |session| session.floating(message, Routing::none()).settling(context, message));
    }

    /// Where this message is on its way and a CONNECT waits, it may belong to the session that this one begins.
    fn begin(&mut self, context: &Context<'_>, message: MessageKey) {
        let floats = |hypothesis: &Hypothesis| hypothesis.session.floats(message);
        let waits =
            |hypothesis: &Hypothesis| self.queue.lanes().any(|(connection, _)| hypothesis.taken(connection) == 0);
        if self.hypotheses.iter().any(|hypothesis| floats(hypothesis) && waits(hypothesis)) {
            let begun =
                std::mem::take(&mut self.hypotheses).into_iter().flat_map(|hypothesis| match floats(&hypothesis) {
                    true => hypothesis.beginning(context, &self.queue),
                    false => BTreeSet::from([hypothesis]),
                });
            let begun = begun.collect();
            self.replace(begun);
        }
    }

    /// The server has refused a message.
    pub(super) fn discard(&mut self, message: MessageKey) {
        self.change_floating(message, |session| session.discard(message));
    }

    /// An output came. Each hypothesis takes as few inputs as explain it.
    pub(super) fn accept(
        &mut self,
        context: &Context<'_>,
        moment: Moment,
        connection: ConnectionId,
        output: &Output,
    ) -> Result<(), Breach> {
        if self.is_left() {
            return Ok(());
        }
        self.notice(context, moment.now);
        self.connections += u32::from(matches!(output, Output::Close));
        // After its last word on a connection the server takes nothing more from it: then how much it has taken matters.
        let ends = is_last_word(output);
        let mut explained = BTreeSet::new();
        let mut nearest = None;
        for hypothesis in &self.hypotheses {
            let mut attempts = vec![hypothesis.clone()];
            // An attempt that explains the output stops; one that does not goes on by taking one more input.
            while let Some(attempt) = attempts.pop() {
                let moment = attempt.moment_on(&self.queue, connection, moment);
                match attempt.session.accept(context, moment, connection, output) {
                    Ok(sessions) => {
                        explained.extend(sessions.into_iter().map(|session| attempt.with(session)));
                        if ends || attempt.leaves_another_reading(context, &self.queue, connection, output) {
                            attempts.extend(attempt.taking_more_of(context, &self.queue, connection));
                        }
                    }
                    Err(breach) => {
                        // The attempt that has taken most knows most; among equals, one in which the server goes on says more
                        // about this output than one that only waits for the end.
                        let rank = (attempt.progress(), breach.rule != Rule::OffenceIsRefused);
                        if nearest.as_ref().is_none_or(|(known, _)| *known <= rank) {
                            nearest = Some((rank, breach));
                        }
                        attempts.extend(attempt.taking_towards(context, &self.queue, connection, output));
                    }
                }
            }
        }
        match nearest {
            Some((_, breach)) if explained.is_empty() => {
                if self.may_go_its_way() {
                    Ok(())
                } else {
                    Err(breach)
                }
            }
            _ => {
                self.replace(folded(context, explained));
                if *output == Output::Close {
                    self.queue.end(connection);
                }
                self.trim();
                Ok(())
            }
        }
    }

    /// Messages on which the server has decided without an answer: those of QoS 0 when every hypothesis has taken them, others
    /// when their connection is gone. A QoS 2 message that the session knows may still be passed on.
    pub(super) fn decided(&mut self) -> Decided {
        let Track { hypotheses, queue, open, .. } = self;
        let comes_again = |sent: &Sent| open.values().any(|unanswered| unanswered.message == sent.message);
        let knows = |hypothesis: &Hypothesis, sent: &Sent, id: PacketId| {
            let kept = hypothesis.session.kept.as_ref();
            kept.is_some_and(|kept| kept.incoming.contains(&id) || comes_again(sent))
        };
        let is_taken =
            |sent: &Sent| hypotheses.iter().all(|hypothesis| hypothesis.taken(sent.connection) > sent.number);
        // What a session has left behind with its connection it has not read.
        let is_read = |sent: &Sent| hypotheses.iter().all(|hypothesis| hypothesis.is_link(sent.connection));
        self.under_way.decide(|sent| match (queue.lane(sent.connection), sent.id) {
            (Some(_), None) if is_taken(sent) && is_read(sent) => Fate::Taken,
            (Some(_), None) if is_taken(sent) => Fate::Doubtful,
            (Some(_), _) => Fate::Open,
            (None, Some(id)) if hypotheses.iter().any(|hypothesis| knows(hypothesis, sent, id)) => Fate::Open,
            (None, _) => Fate::Doubtful,
        })
    }

    /// Everything has come to rest: what would silence break in every hypothesis?
    pub(super) fn rest(&mut self, context: &Context<'_>) -> Option<(ConnectionId, Breach)> {
        let mut nearest: Option<(bool, ConnectionId, Breach)> = None;
        for hypothesis in &self.hypotheses {
            for settled in self.at_rest(context, hypothesis) {
                let owed = settled.session.owed(context)?;
                let Session { link, older, refused, .. } = &settled.session;
                let refused = refused.first();
                let connection = older.first().copied().or(refused.or(link.as_ref()).map(|link| link.id));
                // One in which the server goes on says more than one in which it refuses the connection.
                if nearest.as_ref().is_none_or(|(was_refused, ..)| *was_refused && refused.is_none()) {
                    nearest = connection.map(|connection| (refused.is_some(), connection, owed)).or(nearest);
                }
            }
        }
        nearest.filter(|_| !self.may_go_its_way()).map(|(_, connection, owed)| (connection, owed))
    }

    /// Everything has come to rest: keeps the states in which nothing is owed. False, and nothing has changed, if there is none.
    pub(super) fn come_to_rest(&mut self, context: &Context<'_>) -> bool {
        let is_calm = |settled: &Hypothesis| settled.session.owed(context).is_none();
        let settled = self.hypotheses.iter().flat_map(|hypothesis| self.at_rest(context, hypothesis));
        let calm: BTreeSet<Hypothesis> = settled.filter(is_calm).collect();
        if calm.is_empty() {
            return self.is_left() || self.may_go_its_way();
        }
        self.replace(calm);
        self.trim();
        true
    }

    /// What may have expired by `now` is owed no more.
    pub(super) fn pass_time(&mut self, context: &Context<'_>, now: Millis) {
        let passed: Vec<(Hypothesis, Session)> = self
            .hypotheses
            .iter()
            .filter_map(|hypothesis| Some((hypothesis.clone(), hypothesis.session.after_expiries(context, now)?)))
            .collect();
        for (hypothesis, session) in passed {
            self.hypotheses.remove(&hypothesis);
            self.hypotheses.insert(hypothesis.with(session));
        }
    }

    /// What the server might send next in any of the states.
    pub(super) fn offers(&self, context: &Context<'_>, moment: Moment) -> Vec<Representative> {
        let reached = self.hypotheses.iter().flat_map(|hypothesis| hypothesis.reachable(context, &self.queue));
        let sessions: BTreeSet<Session> = reached.map(|reached| reached.session).collect();
        let mut offers = Vec::new();
        for offer in sessions.iter().flat_map(|session| session.representatives(context, moment)) {
            if !offers.contains(&offer) {
                offers.push(offer);
            }
        }
        offers
    }

    /// When time alone changes what may come, given that the client was last heard at `heard` on its connection.
    pub(super) fn turns(&self, context: &Context<'_>, heard: Millis) -> BTreeSet<Millis> {
        self.hypotheses.iter().flat_map(|hypothesis| hypothesis.session.turns(context, heard)).collect()
    }

    /// When time alone changes what is known of Wills, for what the server may still take too.
    pub(super) fn turns_of_wills(&self, context: &Context<'_>, heard: Millis, early: Millis) -> BTreeSet<Millis> {
        let reached = self.hypotheses.iter().flat_map(|hypothesis| hypothesis.reachable(context, &self.queue));
        reached.flat_map(|one| one.session.turns_of_wills(heard, early)).collect()
    }

    /// The silence that no hypothesis permits on this connection.
    pub(super) fn silence_limit(&self, context: &Context<'_>, connection: ConnectionId) -> Option<Millis> {
        let mut limits = self.hypotheses.iter().map(|hypothesis| {
            hypothesis.session.link.as_ref().filter(|link| link.id == connection)?;
            hypothesis.session.silence_limit(context)
        });
        let first = limits.next()??;
        limits.try_fold(first, |longest, limit| limit.map(|limit| longest.max(limit)))
    }

    /// What follows from a hypothesis when the server has taken all that waits.
    fn at_rest(&self, context: &Context<'_>, hypothesis: &Hypothesis) -> impl Iterator<Item = Hypothesis> {
        let is_done =
            |reached: &Hypothesis| self.queue.lanes().all(|(connection, lane)| reached.is_done_with(connection, lane));
        hypothesis.reachable(context, &self.queue).into_iter().filter(is_done)
    }

    fn change_each(&mut self, change: impl Fn(&Session) -> Session) {
        let changed = self.hypotheses.iter().map(|hypothesis| hypothesis.with(change(&hypothesis.session))).collect();
        self.replace(changed);
    }

    /// Changes those states in which a message is on its way.
    fn change_floating(&mut self, message: MessageKey, change: impl Fn(Session) -> Session) {
        let floats = |hypothesis: &Hypothesis| hypothesis.session.floats(message);
        if self.hypotheses.iter().any(floats) {
            let changed =
                std::mem::take(&mut self.hypotheses).into_iter().map(|hypothesis| match floats(&hypothesis) {
                    true => hypothesis.change(&change),
                    false => hypothesis,
                });
            let changed = changed.collect();
            self.replace(changed);
        }
    }

    fn replace(&mut self, hypotheses: BTreeSet<Hypothesis>) {
        self.hypotheses = hypotheses;
        if self.hypotheses.len() > CAP {
            self.leave(Following::Overflowed);
        }
    }

    /// What comes on connections that a session has left behind has no effect on it.
    fn skip(&mut self) {
        if self.hypotheses.iter().any(|hypothesis| hypothesis.has_to_skip(&self.queue)) {
            let skipping = |mut hypothesis: Hypothesis| {
                hypothesis.skip(&self.queue);
                hypothesis
            };
            let skipped = std::mem::take(&mut self.hypotheses).into_iter().map(skipping).collect();
            self.replace(skipped);
        }
    }

    /// The server has noticed by now that connections ended long ago.
    fn notice(&mut self, context: &Context<'_>, now: Millis) {
        if !self.queue.lanes().any(|(_, lane)| lane.is_stale(now)) {
            return;
        }
        let has_noticed = |reached: &Hypothesis| {
            let mut stale = self.queue.lanes().filter(|(_, lane)| lane.is_stale(now));
            stale.all(|(connection, lane)| reached.is_done_with(connection, lane))
        };
        let noticing =
            |hypothesis: &Hypothesis| hypothesis.reachable(context, &self.queue).into_iter().filter(has_noticed);
        let noticed = self.hypotheses.iter().flat_map(noticing).collect();
        self.queue.end_stale(now);
        self.replace(noticed);
        self.skip();
    }

    /// Forgets what every hypothesis has taken.
    fn trim(&mut self) {
        let Track { hypotheses, queue, .. } = self;
        queue.trim(|connection, lane| {
            let taken = hypotheses.iter().map(|hypothesis| hypothesis.taken(connection)).min().unwrap_or(0);
            let is_over = lane.lost().is_some() && taken == lane.end();
            (!is_over).then_some(taken)
        });
        self.skip();
        self.round_beginnings();
    }

    /// When a session has begun matters only against the connections on which a message that is open was first sent, or may
    /// be now: states that differ in nothing else become one.
    fn round_beginnings(&mut self) {
        self.queue.ask_for(self.open.values().map(|unanswered| unanswered.first).collect());
        let connections = self.queue.connections();
        if self.hypotheses.iter().any(|hypothesis| hypothesis.has_to_round(&connections)) {
            let rounding = |mut hypothesis: Hypothesis| {
                hypothesis.round(&connections);
                hypothesis
            };
            let rounded = std::mem::take(&mut self.hypotheses).into_iter().map(rounding).collect();
            self.replace(rounded);
        }
    }
}

/// A large set without those states that another one covers.
fn folded(context: &Context<'_>, hypotheses: BTreeSet<Hypothesis>) -> BTreeSet<Hypothesis> {
    /// To look for them in a smaller set costs more than it saves, and in a larger one, pair by pair, too much.
    const LARGE: RangeInclusive<usize> = 33..=256;
    if !LARGE.contains(&hypotheses.len()) {
        return hypotheses;
    }
    let mut kept: Vec<Hypothesis> = Vec::new();
    for one in hypotheses {
        if !kept.iter().any(|other| other.covers(context, &one)) {
            kept.retain(|other| !one.covers(context, other));
            kept.push(one);
        }
    }
    kept.into_iter().collect()
}
