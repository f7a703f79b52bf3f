//! What a session is asked: what follows from an input, whether an output may come, which ones a server would send, and
//! what is still owed.

use super::alphabet::{Announcement, Input, Output};
use super::deliver::Seen;
use super::response::Response;
use super::rule::{Breach, Context, Rule, SeededBug};
use super::session::{Connection, Moment, Phase, Session};
use super::{ConnectionId, Millis};
use crate::packet::ProtocolVersion;
use crate::profile::Offence;

impl Session {
    /// The sessions that may follow when `input` is taken at `now`. There is always one.
    #[must_use]
    pub fn input(&self, context: &Context<'_>, now: Millis, input: &Input) -> Vec<Session> {
        match input {
            Input::Connect(terms) => self.connect(context, now, terms),
            Input::Lost => vec![self.lose(context, now)],
            _ if !self.is_listening() => vec![self.clone()],
            Input::Subscribe { id, requests } => self.subscribe(context, *id, requests),
            Input::Unsubscribe { id, filters, invalid } => self.unsubscribe(context, *id, filters, *invalid),
            Input::Publish { message, id, alias, offences } => self.publish(context, *message, *id, *alias, offences),
            Input::Puback { id } => self.puback_taken(context, *id),
            Input::Pubrec { id, refused } => self.pubrec_taken(context, *id, *refused),
            Input::Pubrel { id } => self.pubrel_taken(context, *id),
            Input::Pubcomp { id } => self.pubcomp_taken(context, *id),
            Input::Pingreq => vec![self.responding(Response::Pingresp)],
            Input::Auth => self.auth_taken(context),
            Input::Disconnect { lifetime, with_will } => vec![self.leave(*lifetime, *with_will)],
            Input::Offence(offence) => self.offend(context, *offence, &[]),
        }
    }

    /// The sessions that may follow when exactly `output` comes on `connection`.
    ///
    /// # Errors
    /// When it may not come now: the rule that forbids it.
    pub fn accept(
        &self,
        context: &Context<'_>,
        moment: Moment,
        connection: ConnectionId,
        output: &Output,
    ) -> Result<Vec<Session>, Breach> {
        if self.older.contains(&connection) {
            return Ok(vec![self.on_older(connection, output)]);
        }
        if let Some(position) = self.refused.iter().position(|refused| refused.id == connection) {
            let mut rest = self.clone();
            let alone = Session { link: Some(rest.refused.remove(position)), ..Session::default() };
            let next = |after: Session| {
                let mut next = rest.clone();
                next.refused.extend(after.link);
                next.refused.sort();
                next
            };
            return Ok(alone.accept(context, moment, connection, output)?.into_iter().map(next).collect());
        }
        let Some(link) = self.link.as_ref().filter(|link| link.id == connection) else {
            return Err(Breach::of(Rule::ConnackComesFirst, "nothing: this connection has sent no CONNECT"));
        };
        match (link.phase, output) {
            (_, Output::Close) => self.close(context, moment).map(|session| vec![session]),
            (_, Output::Disconnect { code }) => self.disconnect(context, moment, *code).map(|session| vec![session]),
            (_, Output::Connack { session_present, code, announced }) => {
                self.connack(context, *session_present, *code, *announced).map(|session| vec![session])
            }
            (Phase::Connecting { .. } | Phase::Connected, Output::Auth { code }) => {
                self.auth_comes(*code).map(|session| vec![session])
            }
            // A client whose CONNECT will be refused may be asked for more before.
            (Phase::Condemned { greeted: false, .. }, Output::Auth { code }) if link.exchange.asks_for_more(*code) => {
                Ok(vec![self.clone()])
            }
            (Phase::Connecting { .. }, _) => Err(Breach::of(Rule::ConnackComesFirst, "CONNACK")),
            // What the filters before an invalid one have met may still come: each acts as a SUBSCRIBE of its own
            // (3.1.1: MQTT-3.8.4-4; 5.0: MQTT-3.8.4-5). Upon other offences what came was sent before they were read.
            (
                Phase::Condemned { offence: offence @ Offence::TopicFilterInvalid, greeted: true },
                Output::Publish { .. },
            ) => self
                .delivery(context, moment, output)
                .map_err(|_| Breach::of(Rule::OffenceIsRefused, self.permitted_reactions(context, offence))),
            (Phase::Condemned { offence, .. }, _) => {
                Err(Breach::of(Rule::OffenceIsRefused, self.permitted_reactions(context, offence)))
            }
            (Phase::Ending { greeted }, _) => Err(Breach::of(last_word(greeted), "the close of the connection")),
            (Phase::Left, _) => {
                Err(Breach::of(Rule::DeliveryWasSubscribed, "nothing more after the client's DISCONNECT"))
            }
            (Phase::Connected, Output::Suback { id, codes }) => self.suback(context, *id, codes),
            (Phase::Connected, Output::Unsuback { id, codes }) => self.unsuback(*id, codes),
            (Phase::Connected, Output::Puback { id, code }) => self.puback(context, *id, *code),
            (Phase::Connected, Output::Pubrec { id, code }) => self.pubrec(context, *id, *code),
            (Phase::Connected, Output::Pubrel { id, code }) => self.pubrel(*id, *code),
            (Phase::Connected, Output::Pubcomp { id, code }) => self.pubcomp(*id, *code),
            (Phase::Connected, Output::Pingresp) => self.pingresp(),
            (Phase::Connected, Output::Publish { .. }) => self.delivery(context, moment, output),
        }
    }

    /// The sessions that may follow when this PUBLISH comes.
    fn delivery(&self, context: &Context<'_>, moment: Moment, output: &Output) -> Result<Vec<Session>, Breach> {
        let Output::Publish { content, qos, id, dup, retain, identifiers, expiry } = output else {
            return Err(Breach::of(Rule::DeliveryWasSubscribed, "PUBLISH"));
        };
        let seen =
            Seen { content: *content, qos: *qos, id: *id, dup: *dup, retain: *retain, identifiers, expiry: *expiry };
        self.deliver(context, moment.now, &seen)
    }

    /// What a server in this state would send, in canonical form: the lowest free identifier, each lane's next message.
    #[must_use]
    pub fn outputs(&self, context: &Context<'_>, moment: Moment) -> Vec<(ConnectionId, Output)> {
        let mut outputs: Vec<(ConnectionId, Output)> =
            self.older.iter().map(|connection| (*connection, Output::Close)).collect();
        outputs.extend(self.refused.iter().map(|refused| (refused.id, refused.last_word(context))));
        let Some(link) = &self.link else { return outputs };
        let mut on_link = |output| outputs.push((link.id, output));
        match link.phase {
            Phase::Connecting { session_present, .. } => {
                let denied = context.has_bug(SeededBug::DeniesSession);
                link.exchange.possible_auth().into_iter().for_each(&mut on_link);
                if link.exchange.may_finish() {
                    on_link(Output::Connack {
                        session_present: session_present && !denied && link.version != ProtocolVersion::V3_1,
                        code: 0,
                        announced: Announcement::default(),
                    });
                }
            }
            Phase::Condemned { offence, greeted } => {
                on_link(Output::Close);
                if greeted && offence == Offence::TopicFilterInvalid {
                    self.possible_deliveries(context, moment.now).into_iter().for_each(&mut on_link);
                }
            }
            Phase::Ending { .. } | Phase::Left => on_link(Output::Close),
            Phase::Connected => {
                for response in &link.responses {
                    on_link(response.as_output(context, link.version));
                }
                link.exchange.possible_auth().into_iter().for_each(&mut on_link);
                self.possible_releases().into_iter().for_each(&mut on_link);
                self.possible_deliveries(context, moment.now).into_iter().for_each(&mut on_link);
                if link.is_overdue(moment.silence) {
                    on_link(Output::Close);
                }
            }
        }
        outputs
    }

    /// What must still come although everything has come to rest; the rule that would be broken by silence.
    #[must_use]
    pub fn owed(&self, context: &Context<'_>) -> Option<Breach> {
        let asked =
            |link: &Connection| matches!(link.phase, Phase::Connecting { .. }) && link.exchange.is_up_to_client();
        if self.link.as_deref().is_some_and(asked) {
            // Nothing is replaced before the newer client is authenticated.
            return None;
        }
        if let Some(connection) = self.older.first() {
            return Some(Breach::of(Rule::OlderConnectionCloses, format!("the close of connection {connection}")));
        }
        let refused = self.refused.first().map(|refused| Session { link: Some(refused.clone()), ..Session::default() });
        if let Some(refused) = refused {
            return refused.owed(context);
        }
        let link = self.link.as_ref()?;
        match link.phase {
            Phase::Connecting { .. } if link.exchange.is_up_to_client() => None,
            Phase::Connecting { .. } => Some(Breach::of(Rule::ConnectIsAccepted, "CONNACK")),
            Phase::Condemned { offence, .. } => {
                Some(Breach::of(Rule::OffenceIsRefused, self.permitted_reactions(context, offence)))
            }
            Phase::Ending { greeted } => Some(Breach::of(last_word(greeted), "the close of the connection")),
            Phase::Left => None,
            Phase::Connected => link
                .responses
                .iter()
                .find(|response| response.is_owed())
                .map(|response| Breach::of(response.rule(), response.to_string()))
                .or_else(|| link.exchange.owed())
                .or_else(|| self.owed_delivery(context)),
        }
    }

    /// Whether what the client sends still counts.
    fn is_listening(&self) -> bool {
        self.link.as_ref().is_some_and(|link| {
            matches!(link.phase, Phase::Connecting { .. } | Phase::Connected | Phase::Condemned { .. })
        })
    }

    /// An output on a connection that a newer one has replaced. It was sent before the server noticed, or it is the end.
    fn on_older(&self, connection: ConnectionId, output: &Output) -> Session {
        match output {
            Output::Close => self.without(connection),
            _ => self.clone(),
        }
    }
}

/// The rule on what follows the server's last word: a DISCONNECT, or before an accepting CONNACK one that refuses.
fn last_word(greeted: bool) -> Rule {
    if greeted { Rule::NothingAfterDisconnect } else { Rule::RefusalCloses }
}
