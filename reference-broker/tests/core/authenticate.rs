//! Enhanced authentication.

use crate::world::{V5_0, World, clean, settings, text, will};
use model::packet::{Auth, AuthProperties, Connect, ConnectProperties, Disconnect, Packet, Qos, ReasonCode};
use reference_broker::core::{AUTHENTICATION_METHOD, ConnectionId};

fn with_method(method: &str) -> Connect {
    let authentication_method = Some(text(method));
    let properties = ConnectProperties { authentication_method, ..ConnectProperties::default() };
    Connect { properties, will: Some(will("w", Qos::AtMostOnce, None)), ..clean("c") }
}

fn auth(reason: ReasonCode, method: &str, data: Option<Vec<u8>>) -> Packet {
    let authentication_method = Some(text(method));
    let properties = AuthProperties { authentication_method, authentication_data: data, ..AuthProperties::default() };
    Packet::Auth(Auth { reason, properties })
}

/// The answer to the AUTH that the Client saw last.
fn answer(world: &World, client: ConnectionId) -> Packet {
    let Some(Packet::Auth(challenge)) = world.last(client) else { panic!("no AUTH") };
    assert_eq!(challenge.reason, ReasonCode::ContinueAuthentication);
    assert_eq!(challenge.properties.authentication_method.as_deref(), Some(AUTHENTICATION_METHOD));
    let data = challenge.properties.authentication_data.unwrap().into_iter().rev().collect();
    auth(ReasonCode::ContinueAuthentication, AUTHENTICATION_METHOD, Some(data))
}

/// A Client that has authenticated.
fn authenticated(world: &mut World) -> ConnectionId {
    let client = world.connect(V5_0, with_method(AUTHENTICATION_METHOD));
    let answer = answer(world, client);
    world.send(client, answer);
    world.seen(client);
    client
}

#[test]
fn connack_comes_after_the_right_answer_and_names_the_method() {
    let mut world = World::standard();
    let client = world.connect(V5_0, with_method(AUTHENTICATION_METHOD));
    assert_eq!(world.seen(client), ["AUTH 0x18"]);
    let answer = answer(&world, client);
    world.send(client, answer);
    assert_eq!(world.seen(client), ["CONNACK 0x00"]);
    let Some(Packet::Connack(connack)) = world.last(client) else { panic!("no CONNACK") };
    let method = connack.properties.authentication_method;
    assert_eq!(method.as_deref(), Some(AUTHENTICATION_METHOD));
    // The time for CONNECT is over without harm.
    world.elapse(59_000);
    assert!(world.seen(client).is_empty());
}

#[test]
fn a_client_may_bring_its_own_challenge() {
    let mut world = World::standard();
    let mut connect = with_method(AUTHENTICATION_METHOD);
    connect.properties.authentication_data = Some(b"abc".to_vec());
    let client = world.connect(V5_0, connect);
    let Some(Packet::Auth(challenge)) = world.last(client) else { panic!("no AUTH") };
    assert_eq!(challenge.properties.authentication_data.as_deref(), Some(&b"abc"[..]));
    world.seen(client);
    world.send(client, auth(ReasonCode::ContinueAuthentication, AUTHENTICATION_METHOD, Some(b"cba".to_vec())));
    assert_eq!(world.seen(client), ["CONNACK 0x00"]);
    world.send(client, auth(ReasonCode::ReAuthenticate, AUTHENTICATION_METHOD, Some(b"xyz".to_vec())));
    assert_eq!(world.seen(client), ["AUTH 0x18"]);
    world.send(client, auth(ReasonCode::ContinueAuthentication, AUTHENTICATION_METHOD, Some(b"zyx".to_vec())));
    assert_eq!(world.seen(client), ["AUTH 0x00"]);
}

#[test]
fn what_is_no_answer_is_refused_and_leaves_no_trace() {
    let go_on = ReasonCode::ContinueAuthentication;
    for (packet, seen) in [
        (auth(go_on, AUTHENTICATION_METHOD, Some(b"wrong".to_vec())), &["CONNACK 0x87", "closed"][..]),
        (auth(go_on, AUTHENTICATION_METHOD, None), &["CONNACK 0x87", "closed"]),
        (auth(go_on, "another", None), &["CONNACK 0x82", "closed"]),
        (auth(ReasonCode::ReAuthenticate, AUTHENTICATION_METHOD, None), &["CONNACK 0x82", "closed"]),
        (Packet::Pingreq, &["CONNACK 0x82", "closed"]),
        (Packet::Connect(clean("c")), &["CONNACK 0x82", "closed"]),
        (Packet::Disconnect(Disconnect::normal()), &["closed"]),
    ] {
        let mut world = World::standard();
        let watcher = world.subscriber(V5_0, "watcher", "w", Qos::AtMostOnce);
        let client = world.connect(V5_0, with_method(AUTHENTICATION_METHOD));
        world.seen(client);
        let shown = format!("{packet:?}");
        world.send(client, packet);
        assert_eq!(world.seen(client), seen, "{shown}");
        assert!(world.seen(watcher).is_empty(), "{shown}: there was no connection yet, so there is no Will");
    }
}

#[test]
fn bytes_that_are_no_packet_and_silence_end_the_authentication() {
    let mut world = World::standard();
    let client = world.connect(V5_0, with_method(AUTHENTICATION_METHOD));
    world.send_bytes(client, b"\xC1\x00");
    assert_eq!(world.seen(client), ["AUTH 0x18", "CONNACK 0x81", "closed"]);
    let client = world.connect(V5_0, with_method(AUTHENTICATION_METHOD));
    world.elapse(30_000);
    assert_eq!(world.seen(client), ["AUTH 0x18", "closed"]);
}

#[test]
fn an_unfinished_authentication_does_not_disturb_the_one_connected() {
    let mut world = World::standard();
    let old = world.client(V5_0, "c");
    let new = world.connect(V5_0, with_method(AUTHENTICATION_METHOD));
    world.send(old, Packet::Pingreq);
    assert_eq!(world.seen(old), ["PINGRESP"]);
    let answer = answer(&world, new);
    world.send(new, answer);
    assert_eq!(world.seen(old), ["DISCONNECT 0x8E", "closed"]);
}

#[test]
fn a_client_may_authenticate_again_while_it_goes_on() {
    let mut world = World::standard();
    let client = authenticated(&mut world);
    world.send(client, auth(ReasonCode::ReAuthenticate, AUTHENTICATION_METHOD, None));
    assert_eq!(world.seen(client), ["AUTH 0x18"]);
    let answer = answer(&world, client);
    world.send(client, Packet::Pingreq);
    world.send(client, answer);
    assert_eq!(world.seen(client), ["PINGRESP", "AUTH 0x00"]);
}

#[test]
fn authenticating_again_in_a_wrong_way_ends_the_connection() {
    let go_on = ReasonCode::ContinueAuthentication;
    let again = || auth(ReasonCode::ReAuthenticate, AUTHENTICATION_METHOD, None);
    for (packets, seen) in [
        (vec![again(), auth(go_on, AUTHENTICATION_METHOD, Some(b"wrong".to_vec()))], "DISCONNECT 0x87"),
        (vec![again(), auth(go_on, "another", None)], "DISCONNECT 0x82"),
        (vec![again(), again()], "DISCONNECT 0x82"),
        (vec![auth(ReasonCode::ReAuthenticate, "another", None)], "DISCONNECT 0x82"),
        (vec![auth(go_on, AUTHENTICATION_METHOD, None)], "DISCONNECT 0x82"),
    ] {
        let mut world = World::standard();
        let watcher = world.subscriber(V5_0, "watcher", "w", Qos::AtMostOnce);
        let client = authenticated(&mut world);
        for packet in packets {
            world.send(client, packet);
        }
        let end = world.seen(client);
        assert_eq!(end[end.len() - 2..], [seen, "closed"]);
        assert_eq!(world.seen(watcher), ["PUBLISH w will qos0"]);
    }
}

#[test]
fn other_methods_and_dialects_without_one_are_refused() {
    for (profile, method) in [("standard", "SCRAM-SHA-1"), ("platform", AUTHENTICATION_METHOD)] {
        let mut world = World::new(settings(profile));
        let client = world.connect(V5_0, with_method(method));
        assert_eq!(world.seen(client), ["CONNACK 0x8C", "closed"]);
    }
}
