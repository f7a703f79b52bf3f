//! The worlds without a fault: no alarm in any of them.

use crate::search::explore;
use crate::simulated::world::World;
use crate::worlds::{
    SUBSCRIBES, TWICE, between, connected, exactly_once, group, mixed, of_3_1_1, one_at_a_time, publisher_comes_back,
    retained, retained_again, subscribed, subscriber_is_cut_off, takeover, takeover_anew, unsubscribing, will,
};

/// Looks through a world; `cargo test -- --nocapture` shows how large it is.
fn raises_no_alarm(name: &str, world: World) {
    let began = std::time::Instant::now();
    match explore(world) {
        Ok(figures) => {
            assert!(figures.rests > 0, "{name} never comes to rest");
            println!("{name}: {figures:?} in {:.1?}", began.elapsed());
        }
        Err(alarm) => panic!("{name}:\n{}", alarm.told),
    }
}

#[test]
fn at_qos_1() {
    raises_no_alarm("QoS 0 and 1", connected(mixed()));
    raises_no_alarm("QoS 1", connected(between(TWICE, SUBSCRIBES)));
    raises_no_alarm("QoS 1, one at a time", connected(one_at_a_time(between(TWICE, SUBSCRIBES))));
    raises_no_alarm("QoS 1, the subscriber is cut off", subscribed(subscriber_is_cut_off()));
    raises_no_alarm("QoS 1, the publisher comes back", connected(publisher_comes_back()));
    raises_no_alarm("3.1.1, the subscriber is cut off", subscribed(of_3_1_1(subscriber_is_cut_off())));
    raises_no_alarm("3.1.1, the publisher comes back", subscribed(of_3_1_1(publisher_comes_back())));
}

#[test]
fn at_qos_2() {
    raises_no_alarm("QoS 2", connected(exactly_once(between(TWICE, SUBSCRIBES))));
    raises_no_alarm("QoS 2, one at a time", connected(exactly_once(one_at_a_time(between(TWICE, SUBSCRIBES)))));
    raises_no_alarm("QoS 2, the subscriber is cut off", subscribed(exactly_once(subscriber_is_cut_off())));
    raises_no_alarm("QoS 2, the publisher comes back", subscribed(exactly_once(publisher_comes_back())));
}

#[test]
fn when_a_subscription_ends() {
    raises_no_alarm("unsubscribing", connected(unsubscribing()));
    raises_no_alarm("unsubscribing at QoS 2", connected(exactly_once(unsubscribing())));
}

#[test]
fn when_a_connection_is_taken_over() {
    raises_no_alarm("takeover", connected(takeover()));
    raises_no_alarm("takeover, perhaps with Clean Start", connected(takeover_anew()));
    raises_no_alarm("takeover of 3.1.1, perhaps with Clean Session", connected(of_3_1_1(takeover_anew())));
}

#[test]
fn when_a_message_waits_for_its_subscriber() {
    raises_no_alarm("retained messages", connected(retained()));
    raises_no_alarm("retained messages, the publisher comes back", connected(retained_again()));
    raises_no_alarm("a Will", World::new(will()));
}

#[test]
fn when_a_group_shares_a_subscription() {
    raises_no_alarm("a group", connected(group()));
}
