//! A device's CONNECT: built and signed by the case language.

use super::manner::{Manner, Purpose};
use crate::case::{Identity, Line, line};
use crate::fuzz::command::{Client, Terms};
use crate::fuzz::walk::Walker;
use model::device::{Registration, Transport};
use model::packet::{Packet, Publish};

/// How a client presents itself, and what has to carry its connection.
#[derive(Debug)]
pub(in crate::fuzz) struct Presented {
    pub(in crate::fuzz) identity: Identity,
    pub(in crate::fuzz) over: Option<Transport>,
}

impl Terms {
    /// How a step writes the login of a device; none if it is the plain one of the actor.
    pub(in crate::fuzz) fn login_fields(&self, client: Client, answer: &str) -> Vec<String> {
        let Manner { login, beside, .. } = self.manner;
        let mut fields = Vec::new();
        // An answer says itself whose device it is about.
        let says_whom = login.starts_with("answer");
        if self.client_id != client.client_id() && !says_whom {
            fields.push(format!("device: {}", self.client_id.trim_start_matches('$')));
        }
        fields.extend((!login.is_empty()).then(|| login.replace("$answer", answer)));
        let mut all = Vec::new();
        if !fields.is_empty() || !beside.is_empty() {
            all.push(format!("login: {{{}}}", fields.join(", ")));
        }
        all.extend((!beside.is_empty()).then(|| beside.to_owned()));
        all
    }
}

/// What a case calls the last answer to a registration that came to this client.
pub(in crate::fuzz) fn answer_of(client: Client) -> String {
    format!("${}answer", client.actor())
}

/// Whether a PUBLISH brings what somebody registered for.
pub(in crate::fuzz) fn is_answer(publish: &Publish) -> bool {
    [Registration::Secret, Registration::Token].iter().any(|registration| registration.topic() == &*publish.topic)
}

impl Walker {
    /// Who a client says that it is; `None` if it cannot say so: there is no answer to log in with.
    pub(in crate::fuzz) fn present(&mut self, client: Client, terms: &Terms) -> Option<Presented> {
        if !self.names.are_of_devices() {
            let credentials = &self.credentials;
            let identity = Identity {
                client_id: self.names.spell(terms.client_id).to_string(),
                user_name: credentials.user_name.clone(),
                password: credentials.password.clone(),
            };
            return Some(Presented { identity, over: None });
        }
        let fields = terms.login_fields(client, &answer_of(client)).join(", ");
        let step = format!("{} -> CONNECT: {{{fields}}}", client.actor());
        let Ok(Line::Sends(built, over)) = line(&step, terms.version, &mut self.scope) else { return None };
        let Some(Packet::Connect(connect)) = built.packet else { return None };
        let identity = Identity {
            client_id: connect.client_id.to_string(),
            user_name: connect.user_name.map(|name| name.to_string()),
            password: connect.password,
        };
        Some(Presented { identity, over })
    }

    /// The last answer to a registration that came to a client: it can log in with that.
    pub(in crate::fuzz) fn is_registered(&self, client: Client) -> bool {
        self.registered.contains(&client)
    }

    /// A PUBLISH came to a client that may have registered.
    pub(in crate::fuzz) fn learn_answer(&mut self, client: Client, packet: &Packet) {
        if let Packet::Publish(publish) = packet
            && is_answer(publish)
        {
            self.scope.bind(answer_of(client).trim_start_matches('$'), packet);
            self.registered.insert(client);
        }
    }
}

impl Manner {
    /// What a client's memory of a connection goes by: who is refused, or only registers, has nothing to remember.
    pub(in crate::fuzz) fn session_of(self, client_id: &'static str) -> &'static str {
        match self.purpose {
            Purpose::Login | Purpose::WithAnswer => client_id,
            Purpose::Attempt => "attempt",
            Purpose::Registration => "registration",
        }
    }
}
