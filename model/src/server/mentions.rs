//! Which tokens are still spoken of: what a vocabulary must not forget.
//!
//! Every field is named, so that a new one that holds a token cannot be overlooked.

use super::alphabet::{ConnectTerms, Input};
use super::response::Response;
use super::session::{Connection, Kept, Session};
use super::vocabulary::{FilterKey, MessageKey, TopicKey};
use std::collections::BTreeSet;

/// Tokens that something refers to.
#[derive(Debug, Default)]
pub struct Live {
    /// Messages; their topics and contents live with them.
    pub messages: BTreeSet<MessageKey>,
    /// Filters.
    pub filters: BTreeSet<FilterKey>,
    /// Topics.
    pub topics: BTreeSet<TopicKey>,
}

impl Session {
    /// Adds the tokens that the session holds.
    pub fn mention(&self, live: &mut Live) {
        let Session { link, older: _, refused, kept, floating, wills } = self;
        link.iter().chain(refused).for_each(|link| link.mention(live));
        kept.iter().for_each(|kept| kept.mention(live));
        live.messages.extend(floating.iter().map(|floating| floating.message));
        live.filters.extend(floating.iter().flat_map(|floating| &floating.routing.shares));
        live.messages.extend(wills.iter().map(|will| will.message));
    }
}

impl Connection {
    fn mention(&self, live: &mut Live) {
        let Connection {
            id: _,
            version: _,
            phase: _,
            lifetime: _,
            keep_alive: _,
            receive_maximum: _,
            maximum_packet_size: _,
            maximum_qos: _,
            responses,
            will,
            aliases,
            exchange: _,
        } = self;
        for response in responses {
            match response {
                Response::Suback(_, grants) => live.filters.extend(grants.iter().map(|grant| grant.filter)),
                Response::Puback(..)
                | Response::Pubrec(..)
                | Response::StrayPubrel(_)
                | Response::Pubcomp(..)
                | Response::Unsuback(..)
                | Response::Pingresp => {}
            }
        }
        live.messages.extend(will.map(|will| will.message));
        live.topics.extend(aliases.topics());
    }
}

impl Kept {
    fn mention(&self, live: &mut Live) {
        let Kept { ends_at: _, subscriptions, deliveries, incoming: _ } = self;
        live.filters.extend(subscriptions.iter().map(|held| held.filter));
        live.messages.extend(deliveries.iter().map(|delivery| delivery.message));
        live.filters.extend(deliveries.iter().flat_map(|delivery| &delivery.shares));
    }
}

impl Input {
    /// Adds the tokens that the input holds.
    pub fn mention(&self, live: &mut Live) {
        match self {
            Input::Connect(ConnectTerms { will, .. }) => live.messages.extend(will.map(|will| will.message)),
            Input::Subscribe { id: _, requests } => {
                live.filters.extend(requests.iter().map(|request| request.filter));
                live.messages.extend(requests.iter().flat_map(|request| &request.retained).map(|met| met.message));
                live.messages.extend(requests.iter().flat_map(|request| &request.inherited));
            }
            Input::Unsubscribe { id: _, filters, invalid: _ } => live.filters.extend(filters),
            Input::Publish { message, .. } => live.messages.extend([*message]),
            Input::Puback { .. }
            | Input::Pubrec { .. }
            | Input::Pubrel { .. }
            | Input::Pubcomp { .. }
            | Input::Auth
            | Input::Pingreq
            | Input::Disconnect { .. }
            | Input::Offence(_)
            | Input::Lost => {}
        }
    }
}
