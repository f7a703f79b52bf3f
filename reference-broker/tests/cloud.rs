//! The cloud side in memory and in paused time: what is let in, what is refused, and that nothing of what is refused happens.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use fe2o3_amqp::sasl_profile::SaslProfile;
use fe2o3_amqp::types::messaging::Body;
use fe2o3_amqp::types::primitives::{SimpleValue, Value};
use fe2o3_amqp::{Connection, Receiver, Session};
use model::cloud::{AccessKey, Request, ServerLogin, Timestamp, query};
use model::device::{Device, Registered, Registry, Secret};
use model::packet::{
    Connect, Packet, PacketId, ProtocolVersion, Publish, PublishProperties, Subscribe, SubscribeProperties,
    SubscriptionOptions, SubscriptionRequest, Utf8String,
};
use model::profile::Profile;
use model::wire::{Decoder, encode};
use reference_broker::cloud::{CloudApi, ServerSubscription};
use reference_broker::{Broker, Settings};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, timeout};
use transport::{Address, Entrance, Route, Scheme, Stream, TestAuthority, Tls};

const SECRET: &str = "access-secret-01";

fn key() -> AccessKey {
    AccessKey::new("AKEXAMPLE01", Secret::new(SECRET))
}

fn broker() -> Broker {
    Broker::new(Settings::from_profile(Profile::builtin("platform").unwrap()))
}

fn products() -> Arc<Registry> {
    let mut registry = Registry::new();
    registry.add_device(&Device::new("pk", "lamp"), Registered::with_secret(Secret::new("s")));
    Arc::new(registry)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn signed(request: &Request, nonce: &str) -> BTreeMap<String, String> {
    key().sign("POST", request, nonce, &Timestamp(now()).to_string())
}

/// Status and body of the answer to a request with these parameters.
async fn ask(api: &CloudApi, verb: &str, body: &str) -> (u16, serde_json::Value) {
    let (ours, theirs) = duplex(1 << 20);
    api.attach(theirs);
    ask_on(ours, verb, body).await
}

/// The same on a stream that is open.
async fn ask_on(mut ours: impl Stream, verb: &str, body: &str) -> (u16, serde_json::Value) {
    let length = body.len();
    let form = "application/x-www-form-urlencoded";
    let head = format!(
        "{verb} / HTTP/1.1\r\nHost: api\r\nConnection: close\r\nContent-Type: {form}\r\nContent-Length: {length}\r\n\r\n"
    );
    ours.write_all(head.as_bytes()).await.unwrap();
    // A refusal may come before everything is read.
    let _ = ours.write_all(body.as_bytes()).await;
    let mut answer = Vec::new();
    timeout(Duration::from_secs(60), ours.read_to_end(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let json = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    (status, serde_json::from_str(json).unwrap_or_default())
}

fn pub_() -> Request {
    let request = Request::new("Pub").with("ProductKey", "pk").with("TopicFullName", "/pk/lamp/user/get");
    request.with("MessageContent", "bTE=").with("Qos", "1")
}

/// A device that is connected and subscribed, and what has come to it.
struct Lamp {
    stream: DuplexStream,
    decoder: Decoder,
}

impl Lamp {
    async fn connect(broker: &Broker) -> Lamp {
        let (ours, theirs) = duplex(1 << 20);
        broker.attach(theirs);
        let mut lamp = Lamp { stream: ours, decoder: Decoder::from_server(ProtocolVersion::V5_0) };
        let connect = Connect {
            client_id: "lamp|securemode=3,signmethod=hmacsha256|".try_into().unwrap(),
            user_name: Some("lamp&pk".try_into().unwrap()),
            password: Some(b"p".to_vec()),
            clean_start: true,
            keep_alive: 300,
            ..Connect::default()
        };
        lamp.send(Packet::Connect(connect)).await;
        assert!(matches!(lamp.next().await, Some(Packet::Connack(connack)) if connack.code.is_accepted()));
        let filter: Utf8String = "/pk/lamp/user/get".try_into().unwrap();
        let requests = vec![SubscriptionRequest { filter, options: SubscriptionOptions::default() }];
        let properties = SubscribeProperties::default();
        lamp.send(Packet::Subscribe(Subscribe { packet_id: PacketId::FIRST, properties, requests })).await;
        assert!(matches!(lamp.next().await, Some(Packet::Suback(_))));
        lamp
    }

    async fn send(&mut self, packet: Packet) {
        self.stream.write_all(&encode(&packet, ProtocolVersion::V5_0).unwrap()).await.unwrap();
    }

    /// The next packet, or none if none comes within a second of virtual time.
    async fn next(&mut self) -> Option<Packet> {
        loop {
            if let Some(decoded) = self.decoder.next_packet().unwrap() {
                return Some(decoded.packet);
            }
            let mut piece = [0; 4096];
            let read = timeout(Duration::from_secs(1), self.stream.read(&mut piece)).await.ok()?.unwrap();
            if read == 0 {
                return None;
            }
            self.decoder.feed(&piece[..read]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_refused_by_name_and_does_nothing() {
    let broker = broker();
    let api = CloudApi::new(broker.clone(), vec![key()], Some(products()));
    let mut lamp = Lamp::connect(&broker).await;
    type Change = fn(&mut BTreeMap<String, String>);
    // How the signed request is changed, or what is asked for, and what comes of it.
    let tampered: [(&str, Change, u16, &str); 9] = [
        ("signature", |all| drop(all.insert("Signature".into(), "AAAA".into())), 400, "SignatureDoesNotMatch"),
        ("no Base64", |all| drop(all.insert("Signature".into(), "%%".into())), 400, "SignatureDoesNotMatch"),
        ("content", |all| drop(all.insert("MessageContent".into(), "bTI=".into())), 400, "SignatureDoesNotMatch"),
        ("no signature", |all| drop(all.remove("Signature")), 400, "MissingSignature"),
        ("no key", |all| drop(all.remove("AccessKeyId")), 400, "MissingAccessKeyId"),
        ("no nonce", |all| drop(all.remove("SignatureNonce")), 400, "MissingSignatureNonce"),
        ("other key", |all| drop(all.insert("AccessKeyId".into(), "x".into())), 404, "InvalidAccessKeyId.NotFound"),
        ("time", |all| drop(all.insert("Timestamp".into(), "noon".into())), 400, "InvalidTimeStamp.Format"),
        (
            "old",
            |all| drop(all.insert("Timestamp".into(), "2020-01-01T00:00:00Z".into())),
            400,
            "InvalidTimeStamp.Expired",
        ),
    ];
    for (what, change, status, code) in tampered {
        let mut parameters = signed(&pub_(), what);
        change(&mut parameters);
        let (seen, json) = ask(&api, "POST", &query(&parameters)).await;
        assert_eq!((seen, json["Code"].as_str()), (status, Some(code)), "{what}");
        assert!(!json.to_string().contains(SECRET), "{what}");
    }
    let wrong: [(Request, u16, &str); 9] = [
        (Request::new("Publish"), 404, "InvalidAction.NotFound"),
        (Request::new("Pub"), 400, "MissingProductKey"),
        (pub_().with("MessageContent", ""), 200, "iot.messagebroker.NullMessageContent"),
        (pub_().with("MessageContent", "\u{0}"), 200, "iot.messagebroker.MessageContentIsNotBase64Encode"),
        (pub_().with("TopicFullName", "/pk/lamp/user/\u{0}"), 200, "iot.messagebroker.InvalidFormattedTopicName"),
        (pub_().with("Qos", "2"), 200, "InvalidParameter.Qos"),
        (pub_().with("ResponseTopic", "x".repeat(129)), 200, "iot.messagebroker.PublishMessageFailed"),
        (
            pub_().with("ProductKey", "other").with("TopicFullName", "/other/lamp/user/get"),
            200,
            "iot.prod.NotExistedProduct",
        ),
        (
            Request::new("DisableThing").with("ProductKey", "pk").with("DeviceName", "nobody"),
            200,
            "iot.device.NotExistedDevice",
        ),
    ];
    for (number, (request, status, code)) in wrong.into_iter().enumerate() {
        let (seen, json) = ask(&api, "POST", &query(&signed(&request, &format!("wrong-{number}")))).await;
        assert_eq!((seen, json["Code"].as_str()), (status, Some(code)), "{request}");
        assert_ne!(json["Success"], true);
    }
    for (verb, body, status) in [("DELETE", "", 405), ("GET", "", 400), ("POST", "Action=Pub&Action=Pub", 400)] {
        assert_eq!(ask(&api, verb, body).await.0, status, "{verb} {body}");
    }
    assert_eq!(lamp.next().await, None, "nothing of it has come to the device");
    let (_, json) = ask(&api, "POST", &query(&signed(&pub_(), "right"))).await;
    assert_eq!(json["Success"], true, "{json}");
    assert!(matches!(lamp.next().await, Some(Packet::Publish(publish)) if publish.payload == b"m1"));
    let (_, json) = ask(&api, "POST", &query(&signed(&pub_(), "right"))).await;
    assert_eq!(json["Code"], "SignatureNonceUsed");
    assert_eq!(lamp.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_no_http_end_their_own_connection_only() {
    let broker = broker();
    let api = CloudApi::new(broker, vec![key()], None);
    for bytes in
        [&b"\x10\x0d\x00\x04MQTT"[..], b"GET", b"POST / HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n", &[0xFF; 4096]]
    {
        let (mut ours, theirs) = duplex(1 << 16);
        api.attach(theirs);
        ours.write_all(bytes).await.unwrap();
        let mut rest = Vec::new();
        timeout(Duration::from_secs(60), ours.read_to_end(&mut rest)).await.expect("it does not hang").unwrap();
    }
    assert_eq!(ask(&api, "POST", &query(&signed(&pub_(), "after"))).await.1["Success"], true);
}

#[tokio::test]
async fn the_api_answers_over_https_who_trusts_it_and_nobody_without_tls() {
    let (authority, stranger) = (TestAuthority::new().unwrap(), TestAuthority::new().unwrap());
    let entrance = Entrance { tls: Some(Tls::Modern(authority.server().unwrap())), web_socket: false };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = Address::loopback(Scheme::Mqtts, listener.local_addr().unwrap().port());
    let api = CloudApi::new(broker(), vec![key()], None);
    tokio::spawn(async move { api.listen_behind(listener, entrance).await });

    let route = Route::over_tls(address.clone(), authority.client(None));
    let request = query(&signed(&pub_(), "over-https"));
    let answer = ask_on(route.connect().await.unwrap().stream, "POST", &request).await;
    assert_eq!((answer.0, &answer.1["Success"]), (200, &true.into()), "{answer:?}");
    // Who may ask is the same as without TLS: a nonce counts once.
    let again = ask_on(route.connect().await.unwrap().stream, "POST", &request).await;
    assert_eq!((again.0, &again.1["Code"]), (400, &"SignatureNonceUsed".into()), "{again:?}");

    let refused = Route::over_tls(address.clone(), stranger.client(None)).connect().await.unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
    let plain = Address { scheme: Scheme::Mqtt, host: "127.0.0.1".to_owned(), ..address };
    let mut plain = Route::plain(plain).connect().await.unwrap().stream;
    plain.write_all(b"GET / HTTP/1.1\r\nHost: api\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // What comes, if anything, is an alert of TLS.
    let _ = timeout(Duration::from_secs(60), plain.read_to_end(&mut answer)).await.expect("it does not hang");
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

type Opened = Result<fe2o3_amqp::connection::ConnectionHandle<()>, fe2o3_amqp::connection::OpenError>;

async fn log_in(subscription: &ServerSubscription, username: &str, password: &str) -> Opened {
    let (ours, theirs) = duplex(1 << 16);
    subscription.attach(theirs);
    let profile = SaslProfile::Plain { username: username.to_owned(), password: password.to_owned() };
    let builder = Connection::builder().container_id("test").sasl_profile(profile);
    timeout(Duration::from_secs(60), builder.open_with_stream(ours)).await.expect("it does not hang")
}

#[tokio::test(start_paused = true)]
async fn nobody_gets_into_amqp_without_the_right_password() {
    let subscription = ServerSubscription::new(broker(), vec![key()], ["group".to_owned()]);
    let login = ServerLogin::new("server", &key(), "group", now() * 1000);
    let (name, password) = (login.to_string(), login.password(&key()));
    let forger = AccessKey::new("AKEXAMPLE01", Secret::new("guess"));
    let other_group = ServerLogin { consumer_group: "other".to_owned(), ..login.clone() };
    for (what, name, password) in [
        ("no password", name.clone(), String::new()),
        ("a password by another secret", name.clone(), login.password(&forger)),
        ("the secret itself", name.clone(), SECRET.to_owned()),
        ("hexadecimal", name.clone(), "00".repeat(32)),
        ("another key", name.replace("AKEXAMPLE01", "AKEXAMPLE02"), password.clone()),
        ("another time", name.replace("timestamp=", "timestamp=1"), password.clone()),
        ("a group that there is not", other_group.to_string(), password.clone()),
        ("a method that there is not", name.replace("hmacsha256", "hmacsha512"), password.clone()),
        ("no parameters", "server".to_owned(), password.clone()),
        ("no name", String::new(), password.clone()),
        ("a long name", format!("{}{name}", "x".repeat(64)), password.clone()),
    ] {
        assert!(log_in(&subscription, &name, &password).await.is_err(), "{what}");
    }
    assert!(log_in(&subscription, &name, &password).await.is_ok());
}

/// What a device says to the business server.
fn message(payload: &[u8]) -> Packet {
    Packet::Publish(Publish {
        delivery: model::packet::Delivery::AtLeastOnce { packet_id: PacketId::FIRST, dup: false },
        retain: false,
        topic: "/pk/lamp/user/update".try_into().unwrap(),
        properties: PublishProperties { correlation_data: Some(vec![0, 255]), ..PublishProperties::default() },
        payload: payload.to_vec(),
    })
}

#[tokio::test(start_paused = true)]
async fn messages_come_over_amqp_until_they_are_accepted() {
    let broker = broker();
    let subscription = ServerSubscription::new(broker.clone(), vec![key()], ["group".to_owned()]);
    let mut lamp = Lamp::connect(&broker).await;
    // Before anybody listens.
    lamp.send(message(b"m1")).await;
    assert!(matches!(lamp.next().await, Some(Packet::Puback(_))));
    let login = ServerLogin::new("server", &key(), "group", now() * 1000);
    let mut connection = log_in(&subscription, &login.to_string(), &login.password(&key())).await.unwrap();
    let mut session = Session::begin(&mut connection).await.unwrap();
    let mut receiver = Receiver::attach(&mut session, "test", "default").await.unwrap();
    let (info, first) = receiver.recv::<Body<Value>>().await.unwrap().into_parts();
    let property = |message: &fe2o3_amqp::types::messaging::Message<Body<Value>>, name: &str| {
        message.application_properties.as_ref().unwrap().get(name).cloned()
    };
    let text = |text: &str| Some(SimpleValue::String(text.to_owned()));
    assert_eq!(property(&first, "topic"), text("/pk/lamp/user/update"));
    assert_eq!(property(&first, "correlationData"), text("AP8="));
    receiver.release(info).await.unwrap();
    let released = Instant::now();
    let (info, again) = receiver.recv::<Body<Value>>().await.unwrap().into_parts();
    assert_eq!(property(&again, "messageId"), property(&first, "messageId"));
    assert!((50..70).contains(&released.elapsed().as_secs()), "about a minute later");
    receiver.accept(info).await.unwrap();
    lamp.send(message(b"m2")).await;
    let (info, second) = receiver.recv::<Body<Value>>().await.unwrap().into_parts();
    assert_ne!(property(&second, "messageId"), property(&first, "messageId"));
    receiver.accept(info).await.unwrap();
    let more = timeout(Duration::from_secs(300), receiver.recv::<Body<Value>>()).await;
    assert!(more.is_err(), "what is accepted does not come again");
}

#[tokio::test(start_paused = true)]
async fn what_is_accepted_with_the_last_word_is_done_with() {
    let broker = broker();
    let subscription = ServerSubscription::new(broker.clone(), vec![key()], ["group".to_owned()]);
    let mut lamp = Lamp::connect(&broker).await;
    let login = ServerLogin::new("server", &key(), "group", now() * 1000);
    // Which of two things that have come is looked at first is drawn by lot: one round would show little.
    for round in 0..32_u8 {
        // P-LIM-2: a device may not say more than so much in a second.
        sleep(Duration::from_secs(1)).await;
        lamp.send(message(&[round])).await;
        assert!(matches!(lamp.next().await, Some(Packet::Puback(_))));
        let mut connection = log_in(&subscription, &login.to_string(), &login.password(&key())).await.unwrap();
        let mut session = Session::begin(&mut connection).await.unwrap();
        let mut receiver = Receiver::attach(&mut session, "test", "default").await.unwrap();
        let got = timeout(Duration::from_secs(60), receiver.recv::<Body<Value>>()).await;
        let (info, got) = got.expect("it comes").unwrap().into_parts();
        let Body::Data(got) = got.body else { panic!("{:?}", got.body) };
        assert_eq!(got.into_iter().next().unwrap().0.as_slice(), [round], "what was accepted came again");
        receiver.accept(info).await.unwrap();
        connection.close().await.unwrap();
    }
}
