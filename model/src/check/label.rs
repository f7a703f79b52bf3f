//! Words for actions and states, as the explorer and counterexamples show them.

use super::intern::InputsKey;
use super::state::{Action, State, Who};
use super::system::System;
use crate::server::rrpc;
use crate::server::{ConnectionId, Input, MessageKey, Output, Vocabulary};

impl System {
    /// An action in words: who does what to whom. What happens inside the server stands apart.
    pub(super) fn label(&self, action: &Action) -> String {
        let vocabulary = &self.scenario.vocabulary;
        let packets = |inputs: &InputsKey| {
            let inputs = self.inputs.get(*inputs).iter().map(|input| describe_input(input, vocabulary));
            inputs.collect::<Vec<_>>().join(", ")
        };
        match action {
            Action::Send(who, inputs, ..) => format!("{} -> {}", self.name(*who), packets(inputs)),
            Action::Break(who, _) => format!("{} loses its connection", self.name(*who)),
            Action::Take(who, inputs, _, _, _, member, choice) => {
                let chosen = member.map(|identity| format!("; {} gets it", self.name(Who { identity, actor: 0 })));
                let (packets, chosen) = (packets(inputs), chosen.unwrap_or_default());
                format!("     server takes {packets} of {}{chosen}{}", self.name(*who), choice_of(*choice))
            }
            Action::PublishWill(identity, message, _) => {
                let name = self.name(Who { identity: *identity, actor: 0 });
                format!("     server publishes the Will of {name}: {}", vocabulary.describe(*message))
            }
            Action::Call(_) => format!("cloud calls {}", self.name(Who { identity: 0, actor: 0 })),
            Action::EmitForCall(output, _) => match self.call_outputs.get(*output) {
                rrpc::Output::Request { topic, qos, .. } => {
                    format!("{} <- PUBLISH {topic} qos{qos}", self.name(Who { identity: 0, actor: 0 }))
                }
                rrpc::Output::Ended(outcome) => format!("cloud <- {outcome}"),
            },
            Action::Pass(now) => format!("     time passes: {} s", now / 1000),
            Action::Discard(who, inputs, _) => {
                format!("     server does not read {} of {} any more", packets(inputs), self.name(*who))
            }
            Action::Notice(identity, _, _, choice) => {
                let name = self.name(Who { identity: *identity, actor: 0 });
                format!("     server notices that the connection of {name} is gone{}", choice_of(*choice))
            }
            Action::Emit(identity, emission, _, choice) => {
                let (connection, output, _) = self.emissions.get(*emission);
                let packet = describe_output(output, vocabulary);
                format!("{} <- {packet}{}", self.name(self.holder(*identity, *connection)), choice_of(*choice))
            }
        }
    }

    /// What a step changes, a line for each part of the world; changed lines are marked.
    pub(super) fn difference(&self, before: &State, after: &State) -> String {
        let (before, after) = (self.describe(before), self.describe(after));
        let lines = before.iter().zip(&after).flat_map(|(old, new)| match old == new {
            true => vec![format!("  {new}")],
            false => vec![format!("- {old}"), format!("+ {new}")],
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn describe(&self, state: &State) -> Vec<String> {
        let vocabulary = &self.scenario.vocabulary;
        let messages = |messages: Vec<MessageKey>| {
            messages.into_iter().map(|message| vocabulary.describe(message)).collect::<Vec<_>>().join(", ")
        };
        let mut lines = Vec::new();
        for (role, actor) in self
            .identities(state)
            .iter()
            .zip(&self.scenario.clients)
            .flat_map(|(identity, roles)| roles.iter().zip(&self.parties.get(identity.party).actors))
        {
            let phase = match (actor.link, actor.connected) {
                (None, _) => "no connection".to_owned(),
                (Some(id), false) => format!("connecting {id}"),
                (Some(id), true) => format!("connected {id}"),
            };
            let sent: Vec<String> = actor.sent.iter().map(|input| describe_input(input, vocabulary)).collect();
            lines.push(format!("{}: {phase}; on the way: [{}]", role.name, sent.join(", ")));
            lines.push(format!(
                "{}: unacknowledged deliveries {:?}; unanswered messages [{}]",
                role.name,
                actor.open.iter().map(|(id, _)| id.value()).collect::<Vec<_>>(),
                messages(actor.unanswered.iter().map(|unanswered| unanswered.message).collect())
            ));
        }
        for (index, identity) in self.identities(state).iter().enumerate() {
            let session = &self.sessions.get(identity.session).session;
            let name = self.name(Who { identity: index, actor: 0 });
            let link = session.link.as_ref().map(|link| {
                let owed: Vec<String> = link.responses.iter().map(ToString::to_string).collect();
                format!("{} {}, owes [{}]", link.id, link.phase, owed.join(", "))
            });
            lines.push(format!("server, session {name}: {}", link.unwrap_or_else(|| "no connection".to_owned())));
            let kept = session.kept.as_ref().map(|kept| {
                let deliveries: Vec<String> = kept
                    .deliveries
                    .iter()
                    .map(|delivery| format!("{} {}", vocabulary.describe(delivery.message), delivery.progress))
                    .collect();
                let subscriptions: Vec<&str> =
                    kept.subscriptions.iter().map(|subscription| vocabulary.filter_text(subscription.filter)).collect();
                format!("subscribed [{}]; for the client [{}]", subscriptions.join(", "), deliveries.join(", "))
            });
            lines.push(format!("server, state {name}: {}", kept.unwrap_or_else(|| "none".to_owned())));
        }
        lines
    }

    fn name(&self, who: Who) -> &'static str {
        self.scenario.clients[who.identity][who.actor].name
    }

    /// Whose connection it is or was: a party numbers its connections in turns.
    pub(super) fn holder(&self, identity: usize, connection: ConnectionId) -> Who {
        Who { identity, actor: connection.0 as usize % self.scenario.clients[identity].len() }
    }
}

fn choice_of(choice: usize) -> String {
    if choice == 0 { String::new() } else { format!(" (choice {})", choice + 1) }
}

fn describe_input(input: &Input, vocabulary: &Vocabulary) -> String {
    match input {
        Input::Connect(terms) => {
            let kind = if terms.clean_start { "clean" } else { "lasting" };
            format!("CONNECT {kind} on {}", terms.connection)
        }
        Input::Subscribe { id, requests } => {
            let filters: Vec<String> = requests
                .iter()
                .map(|request| format!("{} qos{}", vocabulary.filter_text(request.filter), request.options.qos))
                .collect();
            format!("SUBSCRIBE id{id} {}", filters.join(", "))
        }
        Input::Unsubscribe { id, filters, invalid: _ } => {
            let filters: Vec<&str> = filters.iter().map(|filter| vocabulary.filter_text(*filter)).collect();
            format!("UNSUBSCRIBE id{id} {}", filters.join(", "))
        }
        Input::Publish { message, id, .. } => {
            let qos = vocabulary.of(*message).qos;
            let id = id.map_or_else(String::new, |id| format!(" id{id}"));
            format!("PUBLISH {} qos{qos}{id}", vocabulary.describe(*message))
        }
        Input::Puback { id } => format!("PUBACK id{id}"),
        Input::Pubrec { id, refused } => format!("PUBREC id{id}{}", if *refused { " refused" } else { "" }),
        Input::Pubrel { id } => format!("PUBREL id{id}"),
        Input::Pubcomp { id } => format!("PUBCOMP id{id}"),
        Input::Auth => "AUTH".to_owned(),
        Input::Pingreq => "PINGREQ".to_owned(),
        Input::Disconnect { .. } => "DISCONNECT".to_owned(),
        Input::Offence(offence) => format!("something wrong: {offence}"),
        Input::Lost => "the end of the connection".to_owned(),
    }
}

fn describe_output(output: &Output, vocabulary: &Vocabulary) -> String {
    match output {
        Output::Connack { session_present, code, .. } => {
            format!("CONNACK session-present {} code {code}", u8::from(*session_present))
        }
        Output::Suback { id, codes } => format!("SUBACK id{id} {codes:?}"),
        Output::Unsuback { id, .. } => format!("UNSUBACK id{id}"),
        Output::Puback { id, .. } => format!("PUBACK id{id}"),
        Output::Pubrec { id, .. } => format!("PUBREC id{id}"),
        Output::Pubrel { id, .. } => format!("PUBREL id{id}"),
        Output::Pubcomp { id, .. } => format!("PUBCOMP id{id}"),
        Output::Auth { code } => format!("AUTH 0x{code:02X}"),
        Output::Publish { content, qos, id, dup, .. } => {
            let content = vocabulary.content_of(*content);
            let payload = String::from_utf8_lossy(&content.payload);
            let id = id.map_or_else(String::new, |id| format!(" id{id}"));
            format!("PUBLISH {} \"{payload}\" qos{qos}{id}{}", content.topic, if *dup { " dup" } else { "" })
        }
        Output::Pingresp => "PINGRESP".to_owned(),
        Output::Disconnect { code } => format!("DISCONNECT 0x{code:02X}"),
        Output::Close => "the server closes".to_owned(),
    }
}
