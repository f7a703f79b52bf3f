//! A server that does what the model permits, and takes its freedom.

use super::choice::{Choice, pick};
use model::packet::{PacketId, ProtocolVersion, Qos};
use model::profile::{Code, Offence, Reaction};
use model::server::session::{Delivery, Moment, Phase, Progress, Response};
use model::server::{Announcement, ConnectionId, Context, Input, MessageKey, Millis, Output, Session};
use std::collections::BTreeSet;

/// The server: one definite session for each client identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) sessions: Vec<Session>,
    /// Messages that it has taken and refused: their PUBACK has yet to say so.
    refused: BTreeSet<(usize, PacketId)>,
    /// How much of its freedom it takes; without, its packets are canonical.
    pub(crate) inventive: bool,
}

impl Server {
    pub(crate) fn new(clients: usize, inventive: bool) -> Server {
        Server { sessions: vec![Session::default(); clients], refused: BTreeSet::new(), inventive }
    }

    /// Takes an input of a client on one of its connections.
    pub(crate) fn take(
        &mut self,
        context: &Context<'_>,
        now: Millis,
        client: usize,
        connection: ConnectionId,
        input: &Input,
        choice: &mut dyn Choice,
    ) {
        let before = &self.sessions[client];
        let is_link = before.link.as_ref().is_some_and(|link| link.id == connection);
        match input {
            Input::Connect(_) => {}
            Input::Lost if !is_link => return self.sessions[client] = before.without(connection),
            _ if !is_link => return,
            _ => {}
        }
        let successors = before.input(context, now, input);
        let after = pick(choice, &successors).clone();
        assert!(!after.link.as_ref().is_some_and(|link| link.responses.len() > 1000), "answers pile up: {after:?}");
        let served = is_listening(&after);
        if let Input::Publish { message, id, offence } = input {
            self.publish(context, client, after, *message, *id, *offence, served, choice);
        } else {
            self.sessions[client] = after;
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one input")]
    fn publish(
        &mut self,
        context: &Context<'_>,
        client: usize,
        after: Session,
        message: MessageKey,
        id: Option<PacketId>,
        offence: Option<Offence>,
        served: bool,
        choice: &mut dyn Choice,
    ) {
        let version = after.link.as_ref().map_or(ProtocolVersion::V5_0, |link| link.version);
        let accepts = |offence: Offence| context.profile.reactions(offence, version).contains(&Reaction::Accept);
        let routed = match (offence, id) {
            (None, Some(id)) => {
                // A server of 5.0 may refuse a message for reasons of its own.
                let refused = self.inventive && version.has_properties() && choice.once_in(16);
                let _ = refused && self.refused.insert((client, id));
                !refused
            }
            (None, None) => true,
            (Some(offence), Some(id)) => {
                let waits = |response: &Response| *response == Response::Puback(id, None);
                accepts(offence) && after.link.as_ref().is_some_and(|link| link.responses.iter().any(waits))
            }
            (Some(offence), None) => accepts(offence) && choice.once_in(2),
        };
        self.sessions[client] = after;
        if routed && served {
            let published = context.vocabulary.of(message);
            for (index, session) in self.sessions.iter_mut().enumerate() {
                let routing = session.routing(context, published, index == client);
                *session = session.float(message, routing).settle(context, message);
            }
        }
    }

    /// What it might send next for a client.
    pub(crate) fn offers(&self, context: &Context<'_>, client: usize) -> Vec<(ConnectionId, Output)> {
        let session = &self.sessions[client];
        let mut offers = session.outputs(context);
        if self.inventive
            && let (Some(link), Some(kept)) = (&session.link, &session.kept)
            && link.phase == Phase::Connected
            && !link.version.has_properties()
        {
            // 3.x lets a sender repeat at any time.
            offers.extend(kept.deliveries.iter().filter_map(|delivery| {
                let Progress::Open(id) = delivery.progress else { return None };
                let content = context.vocabulary.of(delivery.message).content(link.version);
                let repeated =
                    Output::Publish { content, qos: Qos::AtLeastOnce, id: Some(id), dup: true, retain: false };
                Some((link.id, repeated))
            }));
        }
        offers
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
                if let Output::Puback { id, .. } = output {
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
            Output::Puback { .. } if !has_properties => offered.clone(),
            Output::Puback { id, .. } if self.refused.contains(&(client, *id)) => {
                Output::Puback { id: *id, code: *pick(choice, &[0x80, 0x83, 0x97]) }
            }
            Output::Puback { id, .. } => {
                let offends = |response: &Response| matches!(response, Response::Puback(of, Some(_)) if of == id);
                match link.is_some_and(|link| link.responses.iter().any(offends)) {
                    true => Output::Puback { id: *id, code: *pick(choice, &[0, 0x80, 0x90, 0x99]) },
                    false => Output::Puback { id: *id, code: *pick(choice, &[0, 0x10]) },
                }
            }
            Output::Publish { content, qos, id: Some(_), dup, retain } => {
                let id = PacketId::new(1 + choice.below(12) as u16);
                let dup = *dup || choice.once_in(4);
                Output::Publish { content: *content, qos: *qos, id, dup, retain: *retain }
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
