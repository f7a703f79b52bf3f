//! The same worlds around a server with a fault: the judge must speak, or the silence of the others means nothing.
//!
//! Each is found with the first alarm on the way of the search: what the fault leads to first there, which need not be what
//! it is named after.
//!
//! Left out: what needs time (`DeliversExpired`, `ForgetsWills`, `PublishesWillAfterReturn`: here it stands still), another dialect
//! (`PublishesForbiddenWill`), or what no client of these worlds asks for (`IgnoresNoLocal`, `ForgetsAliases`).

use crate::search::explore;
use crate::simulated::terms::Terms;
use crate::simulated::world::World;
use crate::worlds::{
    SUBSCRIBES, TWICE, between, connected, exactly_once, group, one_at_a_time, publisher_comes_back, retained,
    subscribed, subscriber_is_cut_off, takeover, unsubscribing,
};
use model::server::SeededBug;

/// From where a world is looked through.
type Begin = fn(Terms) -> World;

#[test]
fn a_fault_of_the_server_raises_an_alarm() {
    let two = || between(TWICE, SUBSCRIBES);
    let faults: [(SeededBug, Begin, Terms, &str); 16] = [
        (SeededBug::ForgetsUnacknowledged, subscribed, subscriber_is_cut_off(), "unacknowledged-is-repeated"),
        (SeededBug::ReusesIdentifiers, connected, two(), "identifier-is-free"),
        (SeededBug::IgnoresReceiveMaximum, connected, one_at_a_time(two()), "receive-maximum-is-obeyed"),
        (SeededBug::DeniesSession, connected, subscriber_is_cut_off(), "stored-session-is-present"),
        (SeededBug::KeepsSubscription, connected, unsubscribing(), "delivery-was-subscribed"),
        (SeededBug::RepeatsWithoutDup, subscribed, subscriber_is_cut_off(), "repeated-delivery-has-dup"),
        (SeededBug::KeepsOlderConnection, connected, takeover(), "older-connection-closes"),
        (SeededBug::DropsWhileDisconnected, subscribed, subscriber_is_cut_off(), "delivery-is-made"),
        (SeededBug::LowersQos, connected, two(), "delivery-is-made"),
        (SeededBug::Reorders, connected, two(), "order-is-kept"),
        (SeededBug::TakesTwice, subscribed, exactly_once(publisher_comes_back()), "delivery-was-subscribed"),
        (SeededBug::NeverFreesIncoming, subscribed, exactly_once(two()), "delivery-is-made"),
        (SeededBug::CountsUntilPubrec, subscribed, exactly_once(one_at_a_time(two())), "receive-maximum-is-obeyed"),
        (SeededBug::IgnoresRetainHandling, connected, retained(), "live-delivery-is-not-retained"),
        (SeededBug::WithholdsRetained, connected, retained(), "delivery-is-made"),
        (SeededBug::SendsToEveryMember, connected, group(), "shared-delivery-is-made-once"),
    ];
    let mut other = Vec::new();
    for (bug, begin, terms, rule) in faults {
        let seen = match explore(begin(Terms { bug: Some(bug), ..terms })) {
            Ok(figures) => format!("nothing in {figures:?}"),
            Err(alarm) => alarm.rule.map_or(alarm.told, str::to_owned),
        };
        if seen != rule {
            other.push(format!("{bug:?}: {seen}"));
        }
    }
    assert!(other.is_empty(), "what the judge said instead:\n{}", other.join("\n"));
}
