//! Plainer commands: those that say less, and so tell more.

use super::command::{Alias, Authentication, Client, Command, Content, Deed, Extras, Payload, Terms};
use super::device::Manner;
use model::packet::{Qos, SubscriptionOptions};
use std::collections::BTreeSet;

/// Where `plainer_terms` has what keeps the Will.
const WITH_WILL: usize = 2;

/// The same commands, all plainer at once: what two messages have in common cannot be taken from one of them alone.
pub(super) fn all_plainer(commands: &[Command]) -> Vec<Vec<Command>> {
    let of_contents = |change: fn(Content) -> Content| {
        let publish = |command: &Command| match command {
            Command::Does(client, Deed::Publish { id, content }) => {
                Command::Does(*client, Deed::Publish { id: *id, content: change(content.clone()) })
            }
            command => command.clone(),
        };
        commands.iter().map(publish).collect::<Vec<Command>>()
    };
    let plain_terms = |command: &Command| match command {
        Command::Does(client, Deed::Connect { terms, .. }) => {
            let plain = plainer_terms(terms).into_iter().nth(WITH_WILL).unwrap_or_else(|| terms.clone());
            Command::Does(*client, Deed::Connect { terms: plain, held: false })
        }
        command => command.clone(),
    };
    let mut all = vec![
        commands.iter().map(plain_terms).collect(),
        of_contents(|content| Content { qos: content.qos.min(Qos::AtLeastOnce), ..content }),
        of_contents(|content| Content { dup: false, expiry: None, extras: Extras::None, ..content }),
    ];
    all.extend(with_fewer_clients(commands));
    all
}

/// The same commands with what one client does done by another one: then it need not connect.
fn with_fewer_clients(commands: &[Command]) -> Vec<Vec<Command>> {
    let clients: BTreeSet<Client> = commands.iter().filter_map(client_of).collect();
    let pairs = clients.iter().flat_map(|one| clients.iter().map(move |other| (*one, *other)));
    let moved = |(from, to): (Client, Client)| {
        let is_connect = |command: &&Command| matches!(command, Command::Does(_, Deed::Connect { .. }));
        let kept = commands.iter().filter(|command| client_of(command) != Some(from) || !is_connect(command));
        let moved = kept.map(|command| match command {
            Command::Does(client, deed) if *client == from => Command::Does(to, deed.clone()),
            command => command.clone(),
        });
        moved.collect()
    };
    pairs.filter(|(from, to)| from != to).map(moved).collect()
}

fn client_of(command: &Command) -> Option<Client> {
    match command {
        Command::Does(client, _) => Some(*client),
        Command::Cloud(_) | Command::Elapse(_) => None,
    }
}

/// Commands that say less than this one, the plainest first. Each of them is plainer by its own measure, so that making
/// plainer comes to an end.
pub(super) fn plainer(command: &Command) -> Vec<Command> {
    let Command::Does(client, deed) = command else { return Vec::new() };
    let deeds: Vec<Deed> = match deed {
        Deed::Connect { terms, held } => {
            let plain = plainer_terms(terms).into_iter().map(|terms| Deed::Connect { terms, held: false });
            let let_go = held.then(|| Deed::Connect { terms: terms.clone(), held: false });
            plain.chain(let_go).collect()
        }
        Deed::Subscribe { id, requests, identifier } => {
            let mut deeds = Vec::new();
            if requests.len() > 1 {
                deeds.extend(requests.iter().map(|request| (vec![*request], None)));
            }
            deeds.extend(identifier.map(|_| (requests.clone(), None)));
            let mut plain = requests.clone();
            for request in &mut plain {
                request.options = SubscriptionOptions { qos: request.options.qos, ..SubscriptionOptions::default() };
            }
            deeds.push((plain, *identifier));
            let made = |(requests, identifier)| Deed::Subscribe { id: *id, requests, identifier };
            deeds.into_iter().map(made).collect()
        }
        Deed::Unsubscribe { id, filters } if filters.len() > 1 => {
            filters.iter().map(|filter| Deed::Unsubscribe { id: *id, filters: vec![filter] }).collect()
        }
        Deed::Publish { id, content } => {
            plainer_contents(content).into_iter().map(|content| Deed::Publish { id: *id, content }).collect()
        }
        Deed::Disconnect { session_expiry: Some(_), with_will } => {
            vec![Deed::Disconnect { session_expiry: None, with_will: *with_will }]
        }
        _ => Vec::new(),
    };
    let mut all = Vec::new();
    for plain in deeds.into_iter().filter(|plain| plain != deed).map(|deed| Command::Does(*client, deed)) {
        if !all.contains(&plain) {
            all.push(plain);
        }
    }
    all
}

fn plainer_terms(terms: &Terms) -> Vec<Terms> {
    let plainest = Terms {
        keep_alive: 60,
        will: None,
        session_expiry: terms.session_expiry,
        receive_maximum: None,
        maximum_packet_size: None,
        topic_alias_maximum: None,
        problem_information: None,
        authentication: Authentication::None,
        ..terms.clone()
    };
    let mut all = vec![
        plainest.clone(),
        Terms { session_expiry: None, ..plainest.clone() },
        Terms { will: terms.will.clone(), ..plainest.clone() },
        Terms { receive_maximum: terms.receive_maximum, ..plainest.clone() },
        Terms { keep_alive: terms.keep_alive, ..plainest.clone() },
        Terms { maximum_packet_size: terms.maximum_packet_size, ..plainest.clone() },
        Terms { topic_alias_maximum: terms.topic_alias_maximum, ..plainest.clone() },
        Terms { manner: Manner::PLAIN, ..plainest },
        Terms { manner: Manner::PLAIN, ..terms.clone() },
    ];
    if let Some(will) = &terms.will {
        all.extend(plainer_contents(&will.content).into_iter().map(|content| {
            let mut terms = terms.clone();
            terms.will = terms.will.map(|will| super::command::WillTerms { content, ..will });
            terms
        }));
    }
    all
}

fn plainer_contents(content: &Content) -> Vec<Content> {
    let plain = |content: Content| Content { dup: false, expiry: None, extras: Extras::None, ..content };
    let plainest = Content { alias: Alias::None, retain: false, ..plain(content.clone()) };
    let mut all = vec![
        plainest.clone(),
        Content { retain: content.retain, ..plainest.clone() },
        plain(content.clone()),
        Content { dup: content.dup, ..plainest.clone() },
        Content { expiry: content.expiry, ..plainest },
    ];
    if content.qos > Qos::AtLeastOnce {
        all.push(Content { qos: Qos::AtLeastOnce, ..content.clone() });
    }
    if matches!(content.payload, Payload::Filler(_) | Payload::Shared) {
        all.push(Content { payload: Payload::Own(0), ..content.clone() });
    }
    all
}
