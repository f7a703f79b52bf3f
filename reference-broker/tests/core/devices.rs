//! Devices with a registry: who gets in, what is theirs, how often.

use crate::world::{V3_1, V3_1_1, V5_0, World, clean, publish, settings, text};
use model::device::{Answer, Credentials, Device, DeviceLogin, Registration, Registry, Secret, SignMethod, Transport};
use model::packet::Qos::{AtLeastOnce, AtMostOnce};
use model::packet::{Connect, Packet, ProtocolVersion};
use reference_broker::Logins;
use reference_broker::core::ConnectionId;
use std::sync::Arc;

const REGISTRY: &str = "
products:
  - productKey: pk
    productSecret: product
    registration: [register, regnwl]
    devices:
      - {deviceName: lamp, deviceSecret: s3cr3t}
      - {deviceName: tv, deviceSecret: other}
      - {deviceName: off, deviceSecret: s3cr3t, disabled: true}
      - {deviceName: new}
";

fn world_of(profile: &str) -> World {
    let registry = Registry::load("devices.yaml", REGISTRY, &|_| None).unwrap();
    let mut settings = settings(profile);
    settings.logins = Logins::Registered(Arc::new(registry));
    World::new(settings)
}

fn world() -> World {
    world_of("platform")
}

fn login(name: &str) -> DeviceLogin {
    DeviceLogin::new(Device::new("pk", name))
}

fn connect(credentials: Credentials) -> Connect {
    let mut connect = clean("");
    credentials.fill(&mut connect).unwrap();
    connect
}

fn lamp() -> Connect {
    connect(login("lamp").sign(&Secret::new("s3cr3t")))
}

/// A device that is connected, in 3.1.1.
fn device(world: &mut World, login: &DeviceLogin, secret: &str) -> ConnectionId {
    let id = world.connect(V3_1_1, connect(login.sign(&Secret::new(secret))));
    assert_eq!(world.seen(id), ["CONNACK 0x00"]);
    id
}

#[test]
fn a_login_is_accepted_or_refused_with_the_code_of_its_fault() {
    let secret = Secret::new("s3cr3t");
    let signed = |login: &DeviceLogin| connect(login.sign(&secret));
    let with_id = |id: &str| Connect { client_id: text(id), ..lamp() };
    let user = |name: &str| Connect { user_name: Some(text(name)), ..lamp() };
    let method = |sign_method| signed(&DeviceLogin { sign_method, ..login("lamp") });
    let named = |name: String| signed(&DeviceLogin { name, ..login("lamp") });
    let timestamp = DeviceLogin { timestamp: Some("7".to_owned()), ..login("lamp") };
    let upper =
        |connect: Connect| Connect { password: connect.password.map(|text| text.to_ascii_uppercase()), ..connect };
    for (what, connect, code_3, code_5) in [
        ("right", lamp(), "00", "00"),
        ("upper case", upper(lamp()), "00", "00"),
        ("md5", method(SignMethod::HmacMd5), "00", "00"),
        ("sha1", method(SignMethod::HmacSha1), "00", "00"),
        ("timestamp", signed(&timestamp), "00", "00"),
        ("64 characters", named("x".repeat(64)), "00", "00"),
        ("65 characters", named("x".repeat(65)), "02", "85"),
        ("wrong secret", connect(login("lamp").sign(&Secret::new("other"))), "04", "86"),
        ("no secret", connect(login("new").sign(&Secret::new(""))), "04", "86"),
        ("unknown device", signed(&login("radio")), "04", "86"),
        ("unknown product", user("lamp&other"), "04", "86"),
        ("another user", user("tv&pk"), "04", "86"),
        ("no user", Connect { user_name: None, password: None, ..lamp() }, "04", "86"),
        ("no device", user("lamp"), "04", "86"),
        ("no password", Connect { password: None, ..lamp() }, "04", "86"),
        ("disabled", signed(&login("off")), "05", "87"),
        ("other timestamp", with_id("pk.lamp|timestamp=8,securemode=3,signmethod=hmacsha256|"), "04", "86"),
        ("other name", with_id("lamp|securemode=3,signmethod=hmacsha256|"), "04", "86"),
        ("no parameters", with_id("lamp"), "02", "85"),
        ("unclosed", with_id("pk.lamp|securemode=3"), "02", "85"),
        ("no method", with_id("pk.lamp|securemode=3,signmethod=sha256|"), "02", "85"),
        ("another method", with_id("pk.lamp|securemode=3,signmethod=hmacsha1|"), "04", "86"),
        ("TLS it is not", with_id("pk.lamp|securemode=2,signmethod=hmacsha256|"), "02", "85"),
        ("securemode", with_id("pk.lamp|securemode=9,signmethod=hmacsha256|"), "02", "85"),
        ("twice", with_id("pk.lamp|securemode=3,securemode=3,signmethod=hmacsha256|"), "02", "85"),
    ] {
        for (version, code) in [(V3_1, code_3), (V3_1_1, code_3), (V5_0, code_5)] {
            let mut world = world();
            let client = world.connect(version, connect.clone());
            let expected = if code == "00" {
                vec!["CONNACK 0x00".to_owned()]
            } else {
                vec![format!("CONNACK 0x{code}"), "closed".to_owned()]
            };
            assert_eq!(world.seen(client), expected, "{what} {version}");
        }
    }
}

#[test]
fn the_name_may_be_left_to_the_server_of_5_0() {
    let empty = connect(DeviceLogin { name: String::new(), ..login("lamp") }.sign(&Secret::new("s3cr3t")));
    assert!(world().assigned(empty.clone()).is_some());
    let mut world = world();
    let client = world.connect(V3_1_1, empty);
    assert_eq!(world.seen(client), ["CONNACK 0x02", "closed"]);
}

#[test]
fn the_session_is_the_devices_and_a_wrong_login_leaves_it_alone() {
    let mut world = world();
    let first = device(&mut world, &login("lamp"), "s3cr3t");
    let wrong = world.connect(V3_1_1, connect(login("lamp").sign(&Secret::new("wrong"))));
    assert_eq!((world.seen(wrong).len(), world.seen(first).len()), (2, 0));
    let renamed = DeviceLogin { name: "gate".to_owned(), ..login("lamp") };
    device(&mut world, &renamed, "s3cr3t");
    assert_eq!(world.seen(first), ["closed"]);
    // Another device with the same name before the bar is another one.
    let second = device(&mut world, &renamed, "s3cr3t");
    let other = DeviceLogin { name: "gate".to_owned(), ..login("tv") };
    device(&mut world, &other, "other");
    assert!(world.seen(second).is_empty());
}

#[test]
fn who_asked_for_it_is_told_that_it_is_kicked() {
    let notice = "PUBLISH /ext/notify {\"title\":\"kick\",\"content\":\"Kicked by the same device\"} qos0";
    for (bits, version, seen) in [
        ("3", V3_1_1, vec![notice, "closed"]),
        ("2", V5_0, vec![notice, "DISCONNECT 0x8E", "closed"]),
        ("1", V3_1_1, vec!["closed"]),
    ] {
        let mut world = world();
        let login = DeviceLogin { parameters: vec![("ext".to_owned(), bits.to_owned())], ..login("lamp") };
        let old = world.connect(version, connect(login.sign(&Secret::new("s3cr3t"))));
        world.seen(old);
        world.connect(version, lamp());
        assert_eq!(world.seen(old), seen, "ext={bits} {version}");
    }
}

#[test]
fn a_device_connects_five_times_a_minute() {
    for (version, refusal) in [(V3_1_1, "CONNACK 0x03"), (V5_0, "CONNACK 0x89")] {
        let mut world = world();
        for _ in 0..5 {
            let client = world.connect(version, lamp());
            assert_eq!(world.seen(client), ["CONNACK 0x00"]);
            // Wrong logins of others do not count.
            world.connect(version, connect(login("lamp").sign(&Secret::new("wrong"))));
        }
        let sixth = world.connect(version, lamp());
        assert_eq!(world.seen(sixth), [refusal, "closed"]);
        world.elapse(60_000);
        let later = world.connect(version, lamp());
        assert_eq!(world.seen(later), ["CONNACK 0x00"]);
    }
}

#[test]
fn what_is_beyond_the_uplink_rate_is_dropped() {
    for (version, qos, taken) in [(V3_1_1, AtLeastOnce, 10), (V5_0, AtLeastOnce, 10), (V3_1_1, AtMostOnce, 30)] {
        let mut world = world();
        let client = world.connect(version, lamp());
        world.subscribe(client, &[("/pk/lamp/user/a", AtMostOnce)]);
        world.seen(client);
        for _ in 0..taken {
            world.send(client, Packet::Publish(publish("/pk/lamp/user/a", qos, "m")));
        }
        let delivered = |seen: &[String]| seen.iter().filter(|line| line.starts_with("PUBLISH")).count();
        assert_eq!(delivered(&world.seen(client)), taken);
        world.send(client, Packet::Publish(publish("/pk/lamp/user/a", qos, "m")));
        let expected: &[&str] = if version == V5_0 { &["PUBACK 1 0x97"] } else { &[] };
        assert_eq!(world.seen(client), expected);
        world.elapse(1_000);
        world.send(client, Packet::Publish(publish("/pk/lamp/user/a", qos, "m")));
        assert_eq!(delivered(&world.seen(client)), 1);
    }
}

#[test]
fn topics_of_others_are_closed() {
    let tv = |version: ProtocolVersion, world: &mut World| {
        let id = world.connect(version, connect(login("tv").sign(&Secret::new("other"))));
        world.subscribe(id, &[("/pk/tv/user/#", AtLeastOnce)]);
        world.seen(id);
        id
    };
    for (version, puback, suback) in [(V3_1_1, "00", vec!["SUBACK 1 80 01"]), (V5_0, "87", vec!["SUBACK 1 87 01"])] {
        let mut world = world();
        let tv = tv(version, &mut world);
        let lamp = world.connect(version, lamp());
        world.seen(lamp);
        world.send(lamp, Packet::Publish(publish("/pk/tv/user/a", AtLeastOnce, "m")));
        assert_eq!(world.seen(lamp), [format!("PUBACK 1 0x{puback}")]);
        world.subscribe(lamp, &[("/pk/tv/user/a", AtLeastOnce), ("/pk/lamp/user/a", AtLeastOnce)]);
        assert_eq!(world.seen(lamp), suback);
        assert!(world.seen(tv).is_empty());
        world.send(tv, Packet::Publish(publish("/pk/tv/user/a", AtMostOnce, "m")));
        assert_eq!((world.seen(tv).len(), world.seen(lamp).len()), (1, 0));
    }
    let mut world = world_of("platform-2026");
    let client = world.connect(V5_0, lamp());
    world.seen(client);
    world.subscribe(client, &[("/pk/tv/user/a", AtLeastOnce)]);
    assert_eq!(world.seen(client), ["SUBACK 1 87", "DISCONNECT 0x87", "closed"]);
}

#[test]
fn a_device_is_disabled_and_enabled() {
    for (version, seen, code) in [(V3_1_1, vec!["closed"], "05"), (V5_0, vec!["DISCONNECT 0x98", "closed"], "87")] {
        let mut world = world();
        let client = world.connect(version, lamp());
        world.seen(client);
        world.disable(&Device::new("pk", "lamp"), true);
        assert_eq!(world.seen(client), seen);
        let refused = world.connect(version, lamp());
        assert_eq!(world.seen(refused), [format!("CONNACK 0x{code}"), "closed".to_owned()]);
        world.disable(&Device::new("pk", "lamp"), false);
        let client = world.connect(version, lamp());
        assert_eq!(world.seen(client), ["CONNACK 0x00"]);
    }
}

#[test]
fn a_device_that_has_used_5_0_stays_with_it_on_the_newer_platform() {
    for (profile, seen) in [("platform", vec!["CONNACK 0x00"]), ("platform-2026", vec!["CONNACK 0x01", "closed"])] {
        let mut world = world_of(profile);
        world.connect(V5_0, lamp());
        let client = world.connect(V3_1_1, lamp());
        assert_eq!(world.seen(client), seen);
    }
}

/// The CONNECT of a device that asks for its secret or token.
fn registering(name: &str, kind: &str, product_secret: &str) -> Connect {
    let device = Device::new("pk", name);
    let content = model::device::signed_at_registration(&device, "567345");
    let password = SignMethod::HmacSha256.sign(&Secret::new(product_secret), content.as_bytes());
    let client_id = format!("{name}.pk|securemode=2,authType={kind},random=567345,signmethod=hmacsha256|");
    connect(Credentials { client_id, user_name: device.to_string(), password })
}

fn register(world: &mut World, connect: Connect) -> (ConnectionId, Vec<String>, Option<Packet>) {
    let id = world.open_over(Transport::Encrypted, V3_1_1);
    world.send(id, Packet::Connect(connect));
    (id, world.seen(id), world.last(id))
}

fn answer(registration: Registration, last: Option<Packet>) -> Answer {
    let Some(Packet::Publish(publish)) = last else { panic!("no answer") };
    assert_eq!(publish.topic.as_str(), registration.topic());
    Answer::read(registration, &publish.payload).unwrap()
}

#[test]
fn a_device_registers_until_it_has_logged_in() {
    let mut world = world();
    // P-REG-1: the Keep Alive is not looked at.
    let (_, _, first) = register(&mut world, Connect { keep_alive: 0, ..registering("new", "register", "product") });
    let (client, _, second) = register(&mut world, registering("new", "register", "product"));
    let secret = |last| match answer(Registration::Secret, last) {
        Answer::Secret { secret, .. } => secret,
        Answer::Token { .. } => panic!("a token"),
    };
    let (first, second) = (secret(first), secret(second));
    assert_ne!(first, second);
    // It is good for nothing else.
    world.subscribe(client, &[("/pk/new/user/a", AtMostOnce)]);
    assert_eq!(world.seen(client), ["SUBACK 1 80"]);
    for (secret, code) in [(&first, "04"), (&second, "00")] {
        let id = world.connect(V3_1_1, connect(login("new").sign(secret)));
        assert_eq!(world.seen(id)[0], format!("CONNACK 0x{code}"));
    }
    let (_, seen, _) = register(&mut world, registering("new", "register", "product"));
    assert_eq!(seen, ["CONNACK 0x04", "closed"]);
}

#[test]
fn a_device_that_nobody_knows_registers_for_a_token() {
    let mut world = world();
    let (_, _, last) = register(&mut world, registering("radio", "regnwl", "product"));
    let Answer::Token { device, client_id, token } = answer(Registration::Token, last) else { panic!("a secret") };
    for (password, code) in [(token.reveal(), "00"), ("wrong", "04")] {
        let id = world.open_over(Transport::Encrypted, V3_1_1);
        world.send(
            id,
            Packet::Connect(connect(Credentials {
                client_id: format!("{client_id}|securemode=-2,authType=connwl|"),
                user_name: device.to_string(),
                password: password.to_owned(),
            })),
        );
        assert_eq!(world.seen(id)[0], format!("CONNACK 0x{code}"));
    }
}

#[test]
fn who_may_not_register_is_refused() {
    let mut world = world();
    for connect in [
        registering("radio", "register", "product"),
        registering("new", "register", "wrong"),
        registering("off", "register", "product"),
    ] {
        assert_eq!(register(&mut world, connect).1, ["CONNACK 0x04", "closed"]);
    }
    let plain = world.connect(V3_1_1, registering("new", "register", "product"));
    assert_eq!(world.seen(plain), ["CONNACK 0x02", "closed"]);
}
