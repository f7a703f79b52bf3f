//! A server that does what the model permits, and takes its freedom.

use super::choice::{Choice, pick};
use super::terms::Terms;
use model::packet::{PacketId, ProtocolVersion, Qos};
use model::profile::{Code, Feature, Offence, Reaction};
use model::server::delivery::{Delivery, Progress};
use model::server::qos_set::QosSet;
use model::server::response::Response;
use model::server::session::{Phase, Subscription};
use model::server::{
    Announcement, ConnectionId, Context, FilterKey, FilterRequest, Input, MessageKey, Millis, Moment, Output,
    RetainedMessages, SeededBug, Session, Shares, Vocabulary,
};
use std::collections::{BTreeMap, BTreeSet};

/// The server: one definite session for each client identifier, and what it retains.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) sessions: Vec<Session>,
    retained: RetainedMessages,
    /// Messages that it has taken and refused: their PUBACK or PUBREC has yet to say so.
    refused: BTreeSet<(usize, PacketId)>,
    /// QoS 2 messages that it passes on when their PUBREL comes.
    held: BTreeMap<(usize, PacketId), MessageKey>,
    /// How much of its freedom it takes; without, its packets are canonical.
    pub(crate) inventive: bool,
}

impl Server {
    pub(crate) fn new(clients: usize, inventive: bool) -> Server {
        Server {
            sessions: vec![Session::default(); clients],
            retained: RetainedMessages::default(),
            refused: BTreeSet::new(),
            held: BTreeMap::new(),
            inventive,
        }
    }

    /// Takes an input of a client on one of its connections.
    pub(crate) fn take(
        &mut self,
        context: &Context<'_>,
        now: Millis,
        client: usize,
        connection: ConnectionId,
        input: Input,
        choice: &mut dyn Choice,
    ) -> Vec<MessageKey> {
        let before = &self.sessions[client];
        let is_link = before.link.as_ref().is_some_and(|link| link.id == connection);
        match input {
            Input::Connect(_) => {}
            Input::Lost if !is_link => {
                self.sessions[client] = before.without(connection);
                return Vec::new();
            }
            _ if !is_link => return Vec::new(),
            _ => {}
        }
        let input = self.with_retained(context, client, input);
        let successors = before.input(context, now, &input);
        let faultless = Context { bug: None, ..*context };
        let known = |id: PacketId| before.has_taken(context, id);
        let repeated = matches!(&input, Input::Publish { id: Some(id), message, .. }
            if known(*id) && context.vocabulary.of(*message).qos == Qos::ExactlyOnce);
        let released = match &input {
            Input::Pubrel { id } if before.has_taken(&faultless, *id) => self.held.get(&(client, *id)).copied(),
            _ => None,
        };
        let mut after = pick(choice, &successors).clone();
        if let Input::Subscribe { id, requests } = &input {
            grant(context, &mut after, *id, requests, choice);
        }
        self.sessions[client] = after;
        if context.bug == Some(SeededBug::KeepsOlderConnection) {
            self.sessions[client].older.clear();
        }
        match input {
            Input::Publish { message, id, offences, .. } if !repeated && is_listening(&self.sessions[client]) => {
                match self.decide(context, client, message, id, offences.first().copied(), choice) {
                    true => self.release(client, message).into_iter().chain([message]).collect(),
                    false => Vec::new(),
                }
            }
            _ => released.map(|message| self.release(client, message)).unwrap_or_default(),
        }
    }

    /// The QoS 2 messages of a client that are passed on at last, up to this one: in the order in which they came.
    fn release(&mut self, client: usize, last: MessageKey) -> Vec<MessageKey> {
        // What went with its session is not published.
        let incoming = self.sessions[client].kept.as_ref().map_or(&[][..], |kept| &kept.incoming);
        self.held.retain(|(of, id), message| *of != client || *message == last || incoming.contains(id));
        let is_due = |(of, _): &(usize, PacketId), message: &MessageKey| *of == client && *message <= last;
        let mut due: Vec<MessageKey> =
            self.held.iter().filter(|(key, message)| is_due(key, message)).map(|(_, message)| *message).collect();
        self.held.retain(|key, message| !is_due(key, message));
        due.sort();
        due
    }

    /// SUBSCRIBE meets what is retained when it is taken.
    fn with_retained(&self, context: &Context<'_>, client: usize, mut input: Input) -> Input {
        let version = self.sessions[client].link.as_ref().map(|link| link.version);
        if let Input::Subscribe { requests, .. } = &mut input
            && version.is_some_and(|version| context.profile.has_in(Feature::RetainedMessages, version))
        {
            for request in requests {
                request.retained = self.retained.met_by(|topic| context.vocabulary.matches(request.filter, topic));
            }
        }
        input
    }

    /// Whether a message that was taken just now is passed on at once.
    fn decide(
        &mut self,
        context: &Context<'_>,
        client: usize,
        message: MessageKey,
        id: Option<PacketId>,
        offence: Option<Offence>,
        choice: &mut dyn Choice,
    ) -> bool {
        let session = &mut self.sessions[client];
        let version = session.link.as_ref().map_or(ProtocolVersion::V5_0, |link| link.version);
        let exactly_once = context.vocabulary.of(message).qos == Qos::ExactlyOnce;
        let Some(id) = id else {
            let accepts = |offence| context.profile.reactions(offence, version).contains(&Reaction::Accept);
            return offence.is_none_or(|offence| accepts(offence) && choice.once_in(2));
        };
        if offence.is_some() {
            let waits = |response: &Response| *response == Response::Puback(id, None);
            return session.link.as_ref().is_some_and(|link| link.responses.iter().any(waits));
        }
        self.refused.remove(&(client, id));
        // A server of 5.0 may refuse a message for reasons of its own.
        if self.inventive && version.has_properties() && choice.once_in(16) {
            self.refused.insert((client, id));
            session.kept.iter_mut().for_each(|kept| kept.incoming.retain(|known| *known != id));
            return false;
        }
        if exactly_once && choice.once_in(2) {
            self.held.insert((client, id), message);
            return false;
        }
        self.held.remove(&(client, id));
        true
    }

    /// Passes a message on to every session that it is for.
    pub(crate) fn route(
        &mut self,
        vocabulary: &mut Vocabulary,
        terms: &Terms,
        now: Millis,
        message: MessageKey,
        choice: &mut dyn Choice,
    ) {
        vocabulary.taken(message, now);
        let Terms { profile, bug, .. } = terms;
        let context = Context { profile, vocabulary, bug: *bug };
        let published = vocabulary.of(message);
        if published.retain && profile.has(Feature::RetainedMessages) {
            let clears = vocabulary.content_of(published.content_5).payload.is_empty();
            self.retained.sent(published.topic, message, clears, false);
            self.retained.taken(published.topic, message);
        }
        // One member of each group is chosen.
        let mut groups: BTreeMap<FilterKey, Vec<usize>> = BTreeMap::new();
        for (member, session) in self.sessions.iter().enumerate() {
            for held in session.kept.iter().flat_map(|kept| &kept.subscriptions) {
                if vocabulary.is_shared(held.filter) && vocabulary.matches(held.filter, published.topic) {
                    groups.entry(held.filter).or_default().push(member);
                }
            }
        }
        let chosen: Vec<(FilterKey, usize)> =
            groups.iter().map(|(filter, members)| (*filter, *pick(choice, members))).collect();
        for (index, session) in self.sessions.iter_mut().enumerate() {
            let of_it: Vec<FilterKey> =
                chosen.iter().filter(|(_, member)| *member == index).map(|(filter, _)| *filter).collect();
            let own = published.sender.0 as usize == index;
            let routing = session.routing(&context, published, own, Shares::Chosen(&of_it));
            *session = session.float(message, routing).settle(&context, message);
        }
    }

    /// The Wills that may be published now.
    pub(crate) fn wills(&self, now: Millis) -> Vec<MessageKey> {
        let moment = Moment { now, silence: 0 };
        self.sessions.iter().flat_map(|session| session.possible_wills(moment, 0)).collect()
    }

    /// Notes that a Will is published.
    pub(crate) fn publish_will(&mut self, message: MessageKey) {
        self.sessions.iter_mut().for_each(|session| *session = session.without_will(message));
    }

    /// What it might send next for a client.
    pub(crate) fn offers(&self, context: &Context<'_>, now: Millis, client: usize) -> Vec<(ConnectionId, Output)> {
        let session = &self.sessions[client];
        let mut offers = session.outputs(context, Moment { now, silence: 0 });
        if self.inventive
            && let (Some(link), Some(kept)) = (&session.link, &session.kept)
            && link.phase == Phase::Connected
            && !link.version.has_properties()
        {
            // 3.x lets a sender repeat at any time.
            offers.extend(kept.deliveries.iter().filter_map(|delivery| {
                let Progress::Open(id) = delivery.progress else { return None };
                let content = context.vocabulary.of(delivery.message).content(link.version);
                let qos = delivery.forms.qos.iter().last()?;
                let retain = delivery.forms.retain.admits(true);
                let id = Some(id);
                let repeated =
                    Output::Publish { content, qos, id, dup: true, retain, identifiers: Vec::new(), expiry: None };
                Some((link.id, repeated))
            }));
        }
        offers
    }

    /// Whether it would accept all that it offers itself; how much that is.
    pub(crate) fn check_offers(&self, context: &Context<'_>, now: Millis) -> Result<usize, String> {
        let moment = Moment { now, silence: 0 };
        let mut offered = 0;
        for session in &self.sessions {
            for (connection, output) in session.outputs(context, moment) {
                offered += 1;
                let accepted = session.accept(context, moment, connection, &output);
                if !accepted.as_ref().is_ok_and(|next| !next.is_empty()) {
                    return Err(format!("{output:?} on {connection}: {accepted:?} in {session:#?}"));
                }
            }
        }
        Ok(offered)
    }

    /// Sends what it offers, or something like it. Tells what was sent; nothing if it thinks better of it.
    pub(crate) fn send(
        &mut self,
        context: &Context<'_>,
        now: Millis,
        client: usize,
        connection: ConnectionId,
        offered: &Output,
        choice: &mut dyn Choice,
    ) -> Option<Output> {
        let session = &self.sessions[client];
        let moment = Moment { now, silence: 0 };
        let varied = self.inventive.then(|| self.vary(context, client, connection, offered, choice));
        for output in varied.iter().chain([offered]) {
            if let Ok(successors) = session.accept(context, moment, connection, output) {
                let after = pick(choice, &successors).clone();
                if let Output::Puback { id, .. } | Output::Pubrec { id, .. } = output {
                    self.refused.remove(&(client, *id));
                }
                self.sessions[client] = after;
                return Some(output.clone());
            }
        }
        None
    }

    /// The same output in another form, which may or may not be permitted.
    fn vary(
        &self,
        context: &Context<'_>,
        client: usize,
        connection: ConnectionId,
        offered: &Output,
        choice: &mut dyn Choice,
    ) -> Output {
        let session = &self.sessions[client];
        let link = session.link.iter().chain(&session.refused).find(|link| link.id == connection);
        let has_properties = link.is_some_and(|link| link.version.has_properties());
        match offered {
            Output::Puback { .. } | Output::Pubrec { .. } if !has_properties => offered.clone(),
            Output::Puback { id, .. } if self.refused.contains(&(client, *id)) => {
                Output::Puback { id: *id, code: *pick(choice, &[0x80, 0x83, 0x97]) }
            }
            Output::Pubrec { id, .. } if self.refused.contains(&(client, *id)) => {
                Output::Pubrec { id: *id, code: *pick(choice, &[0x80, 0x83, 0x97]) }
            }
            Output::Puback { id, .. } => {
                let offends = |response: &Response| matches!(response, Response::Puback(of, Some(_)) if of == id);
                match link.is_some_and(|link| link.responses.iter().any(offends)) {
                    true => Output::Puback { id: *id, code: *pick(choice, &[0, 0x80, 0x90, 0x99]) },
                    false => Output::Puback { id: *id, code: *pick(choice, &[0, 0x10]) },
                }
            }
            Output::Pubrec { id, .. } => {
                let offends = |response: &Response| matches!(response, Response::Pubrec(of, Some(_)) if of == id);
                match link.is_some_and(|link| link.responses.iter().any(offends)) {
                    true => Output::Pubrec { id: *id, code: *pick(choice, &[0, 0x80, 0x90, 0x99]) },
                    false => Output::Pubrec { id: *id, code: *pick(choice, &[0, 0x10]) },
                }
            }
            Output::Publish { .. } => {
                let mut varied = offered.clone();
                if let Output::Publish { id: Some(id), dup, .. } = &mut varied {
                    *id = PacketId::new(1 + choice.below(12) as u16).unwrap();
                    *dup |= choice.once_in(4);
                }
                varied
            }
            Output::Suback { id, codes } => {
                let code = |_: &u8| *pick(choice, &[0, 1, 2, 0x80]);
                Output::Suback { id: *id, codes: codes.iter().map(code).collect() }
            }
            Output::Unsuback { id, codes } => {
                let code = |_: &u8| *pick(choice, &[0, 0x11]);
                Output::Unsuback { id: *id, codes: codes.iter().map(code).collect() }
            }
            Output::Close => {
                let Some(Phase::Condemned { offence, greeted }) = link.map(|link| link.phase) else {
                    return Output::Close;
                };
                let version = link.map_or(ProtocolVersion::V5_0, |link| link.version);
                reaction(*pick(choice, context.profile.reactions(offence, version)), greeted, version, choice)
            }
            other => other.clone(),
        }
    }

    /// Forgets a delivery that need not be made.
    pub(crate) fn drop_one(&mut self, client: usize, choice: &mut dyn Choice) {
        let may_go = |delivery: &Delivery| !delivery.owed && delivery.progress.id().is_none();
        let Some(kept) = &mut self.sessions[client].kept else { return };
        let places: Vec<usize> = (0..kept.deliveries.len()).filter(|place| may_go(&kept.deliveries[*place])).collect();
        if !places.is_empty() {
            kept.deliveries.remove(*pick(choice, &places));
        }
    }
}

/// A server knows what it grants when it takes SUBSCRIBE: what the model leaves open until SUBACK is decided now.
fn grant(
    context: &Context<'_>,
    session: &mut Session,
    subscribed: PacketId,
    requests: &[FilterRequest],
    choice: &mut dyn Choice,
) {
    let (Some(link), Some(kept)) = (&mut session.link, &mut session.kept) else { return };
    let grants = link.responses.iter_mut().filter_map(|response| match response {
        Response::Suback(id, grants) if *id == subscribed => Some(grants),
        _ => None,
    });
    for (grant, request) in grants.flatten().zip(requests) {
        let levels: Vec<Qos> = grant.granted.iter().collect();
        let Some(granted) = (!levels.is_empty()).then(|| *pick(choice, &levels)) else { continue };
        grant.granted = QosSet::only(granted);
        let of_it = |held: &&mut Subscription| held.filter == grant.filter && held.pending == Some(subscribed);
        kept.subscriptions.iter_mut().filter(of_it).for_each(|held| held.terms.granted = QosSet::only(granted));
        if !context.profile.has(Feature::SubscriberQos) {
            continue;
        }
        for met in &request.retained {
            let qos = context.vocabulary.of(met.message).qos.min(granted);
            let open =
                |delivery: &&mut Delivery| delivery.undecided == Some(subscribed) && delivery.message == met.message;
            if let Some(delivery) = kept.deliveries.iter_mut().find(open) {
                delivery.forms.qos = QosSet::only(qos);
                delivery.undecided = None;
            }
        }
    }
    kept.subscriptions.sort();
    kept.deliveries.sort();
}

/// The first output of a reaction that ends the connection.
fn reaction(reaction: Reaction, greeted: bool, version: ProtocolVersion, choice: &mut dyn Choice) -> Output {
    let value = |code: Code, any: &[u8], choice: &mut dyn Choice| match code {
        Code::Exactly(code) => code,
        Code::AnyError => *pick(choice, any),
    };
    match reaction {
        Reaction::Disconnect(code) if greeted => Output::Disconnect { code: value(code, &[0x80, 0x82, 0x83], choice) },
        Reaction::Connack(code) if !greeted => Output::Connack {
            session_present: false,
            code: value(code, if version.has_properties() { &[0x80, 0x88] } else { &[1, 2, 3, 5] }, choice),
            announced: Announcement::default(),
        },
        _ => Output::Close,
    }
}

/// Whether the server still reads on the connection of this session.
pub(crate) fn is_listening(session: &Session) -> bool {
    session.link.as_ref().is_some_and(|link| matches!(link.phase, Phase::Connecting { .. } | Phase::Connected))
}
