//! The broker over streams: in paused time over duplex pipes, and over TCP.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use model::packet::{
    Connect, ConnectProperties, Delivery, Packet, PacketId, ProtocolVersion, Publish, PublishProperties, Qos,
    Subscribe, SubscribeProperties, SubscriptionOptions, SubscriptionRequest, Utf8String,
};
use model::profile::Profile;
use model::wire::{Decoder, encode};
use reference_broker::{Broker, Settings};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use ProtocolVersion::{V3_1_1, V5_0};

/// No step of a test takes longer, except on a machine that stands still.
const LONG: Duration = Duration::from_secs(30);

struct Client<S> {
    stream: S,
    version: ProtocolVersion,
    decoder: Decoder,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    fn new(stream: S, version: ProtocolVersion) -> Client<S> {
        Client { stream, version, decoder: Decoder::from_server(version) }
    }

    async fn connected(stream: S, version: ProtocolVersion, connect: Connect) -> Client<S> {
        let mut client = Client::new(stream, version);
        client.send(&Packet::Connect(connect)).await;
        assert!(matches!(client.next().await, Some(Packet::Connack(connack)) if connack.code.is_accepted()));
        client
    }

    async fn send(&mut self, packet: &Packet) {
        self.send_bytes(&encode(packet, self.version).unwrap()).await;
    }

    async fn send_bytes(&mut self, bytes: &[u8]) {
        timeout(LONG, self.stream.write_all(bytes)).await.expect("the broker takes it in time").unwrap();
    }

    /// The next packet; `None` when the broker has closed.
    async fn next(&mut self) -> Option<Packet> {
        loop {
            if let Some(decoded) = self.decoder.next_packet().unwrap() {
                return Some(decoded.packet);
            }
            let mut piece = [0; 4096];
            let read = timeout(LONG, self.stream.read(&mut piece)).await.expect("the broker answers or closes in time");
            match read {
                Ok(0) | Err(_) => return None,
                Ok(length) => self.decoder.feed(&piece[..length]),
            }
        }
    }

    async fn subscribe(&mut self, filter: &str, qos: Qos) {
        self.send(&subscribe(&[filter], qos)).await;
        assert!(matches!(self.next().await, Some(Packet::Suback(_))));
    }
}

fn settings() -> Settings {
    Settings::from_profile(Profile::builtin("standard").unwrap())
}

fn text(text: &str) -> Utf8String {
    Utf8String::new(text).unwrap()
}

fn clean(client_id: &str) -> Connect {
    Connect { clean_start: true, keep_alive: 60, client_id: text(client_id), ..Connect::default() }
}

fn subscribe(filters: &[&str], qos: Qos) -> Packet {
    let options = SubscriptionOptions { qos, ..SubscriptionOptions::default() };
    let requests = filters.iter().map(|filter| SubscriptionRequest { filter: text(filter), options }).collect();
    let properties = SubscribeProperties::default();
    Packet::Subscribe(Subscribe { packet_id: PacketId::FIRST, properties, requests })
}

fn publish(topic: &str, delivery: Delivery, payload: Vec<u8>) -> Packet {
    let properties = PublishProperties::default();
    Packet::Publish(Publish { delivery, retain: false, topic: text(topic), properties, payload })
}

const QOS_1: Delivery = Delivery::AtLeastOnce { packet_id: PacketId::FIRST, dup: false };

fn pipe(broker: &Broker) -> DuplexStream {
    let (client, server) = tokio::io::duplex(1024);
    broker.attach(server);
    client
}

#[tokio::test(start_paused = true)]
async fn a_message_crosses_the_broker_in_no_time() {
    let begin = Instant::now();
    let broker = Broker::new(settings());
    let mut subscriber = Client::connected(pipe(&broker), V3_1_1, clean("s")).await;
    subscriber.subscribe("t", Qos::AtLeastOnce).await;
    let mut publisher = Client::connected(pipe(&broker), V5_0, clean("p")).await;
    publisher.send(&publish("t", QOS_1, b"m".to_vec())).await;
    assert!(matches!(publisher.next().await, Some(Packet::Puback(_))));
    assert_eq!(subscriber.next().await, Some(publish("t", QOS_1, b"m".to_vec())));
    assert_eq!(begin.elapsed(), Duration::ZERO, "nothing waited for a timer");
}

#[tokio::test(start_paused = true)]
async fn keep_alive_runs_in_virtual_time() {
    let broker = Broker::new(settings());
    let mut client = Client::connected(pipe(&broker), V5_0, Connect { keep_alive: 10, ..clean("c") }).await;
    let begin = Instant::now();
    assert!(matches!(client.next().await, Some(Packet::Disconnect(_))));
    assert_eq!(begin.elapsed(), Duration::from_secs(15));
    assert_eq!(client.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_earlier_than_all_others_is_met() {
    let broker = Broker::new(settings());
    let slow = Client::connected(pipe(&broker), V5_0, Connect { keep_alive: 20, ..clean("slow") }).await;
    let mut quick = Client::connected(pipe(&broker), V5_0, Connect { keep_alive: 2, ..clean("quick") }).await;
    let begin = Instant::now();
    assert!(matches!(quick.next().await, Some(Packet::Disconnect(_))));
    assert_eq!(begin.elapsed(), Duration::from_secs(3));
    drop(slow);
}

#[tokio::test(start_paused = true)]
async fn packets_may_come_byte_by_byte_or_all_at_once() {
    let broker = Broker::new(settings());
    let packets = [Packet::Connect(clean("c")), subscribe(&["t"], Qos::AtMostOnce), Packet::Pingreq];
    let bytes: Vec<u8> = packets.iter().flat_map(|packet| encode(packet, V3_1_1).unwrap()).collect();
    for piece in [1, 3, bytes.len()] {
        let mut client = Client::new(pipe(&broker), V3_1_1);
        for piece in bytes.chunks(piece) {
            client.send_bytes(piece).await;
        }
        assert!(matches!(client.next().await, Some(Packet::Connack(_))));
        assert!(matches!(client.next().await, Some(Packet::Suback(_))));
        assert!(matches!(client.next().await, Some(Packet::Pingresp)));
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_before_the_end_of_the_stream_is_handled_and_answered() {
    let broker = Broker::new(settings());
    let mut subscriber = Client::connected(pipe(&broker), V3_1_1, clean("s")).await;
    subscriber.subscribe("t", Qos::AtMostOnce).await;
    let mut publisher = Client::new(pipe(&broker), V3_1_1);
    publisher.send(&Packet::Connect(clean("p"))).await;
    publisher.send(&publish("t", QOS_1, b"m".to_vec())).await;
    publisher.stream.shutdown().await.unwrap();
    assert!(matches!(publisher.next().await, Some(Packet::Connack(_))));
    assert!(matches!(publisher.next().await, Some(Packet::Puback(_))));
    assert_eq!(publisher.next().await, None);
    assert!(matches!(subscriber.next().await, Some(Packet::Publish(_))));
}

#[tokio::test(start_paused = true)]
async fn a_closed_connection_is_let_go_even_if_the_client_never_closes() {
    let broker = Broker::new(settings());
    let mut client = Client::connected(pipe(&broker), V5_0, clean("c")).await;
    client.send_bytes(b"\xC1\x00").await;
    assert!(matches!(client.next().await, Some(Packet::Disconnect(_))));
    assert_eq!(client.next().await, None);
    let begin = Instant::now();
    // What the Client sends now is read and dropped for a while; then nobody is there any more.
    while client.stream.write_all(b"\xC0\x00").await.is_ok() {
        assert!(begin.elapsed() < LONG);
        tokio::time::advance(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_cut_off_and_does_not_hold_up_others() {
    let mut settings = settings();
    settings.limits.unread_bytes = 100_000;
    let broker = Broker::new(settings);
    let mut deaf = Client::connected(pipe(&broker), V3_1_1, clean("deaf")).await;
    deaf.subscribe("t", Qos::AtMostOnce).await;
    let mut subscriber = Client::connected(pipe(&broker), V3_1_1, clean("s")).await;
    subscriber.subscribe("t", Qos::AtMostOnce).await;
    let mut publisher = Client::connected(pipe(&broker), V3_1_1, clean("p")).await;
    for _ in 0..200 {
        publisher.send(&publish("t", Delivery::AtMostOnce, vec![b'x'; 1_000])).await;
        assert!(matches!(subscriber.next().await, Some(Packet::Publish(_))));
    }
    let mut received = 0;
    while deaf.next().await.is_some() {
        received += 1;
    }
    assert!((1..110).contains(&received), "{received} messages in a queue of 100 kB");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_gets_everything() {
    let broker = Broker::new(settings());
    let mut slow = Client::connected(pipe(&broker), V3_1_1, clean("slow")).await;
    slow.subscribe("t", Qos::AtMostOnce).await;
    let mut publisher = Client::connected(pipe(&broker), V3_1_1, clean("p")).await;
    for number in 0..1_000_u32 {
        publisher.send(&publish("t", Delivery::AtMostOnce, number.to_be_bytes().to_vec())).await;
    }
    for number in 0..1_000_u32 {
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(slow.next().await, Some(publish("t", Delivery::AtMostOnce, number.to_be_bytes().to_vec())));
    }
}

#[tokio::test(start_paused = true)]
async fn a_takeover_reaches_a_client_that_is_only_listening() {
    let broker = Broker::new(settings());
    let mut old = Client::connected(pipe(&broker), V5_0, clean("c")).await;
    let _new = Client::connected(pipe(&broker), V5_0, clean("c")).await;
    assert!(matches!(old.next().await, Some(Packet::Disconnect(disconnect)) if disconnect.reason.value() == 0x8E));
    assert_eq!(old.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn floods_of_garbage_harm_nobody() {
    let broker = Broker::new(settings());
    let mut witness = Client::connected(pipe(&broker), V3_1_1, clean("w")).await;
    // A generator of our own: the same garbage in every run (xorshift, period 2^64 - 1).
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..300 {
        let mut stream = pipe(&broker);
        let mut bytes = Vec::new();
        if round % 3 > 0 {
            let version = if round % 3 == 1 { V3_1_1 } else { V5_0 };
            bytes.extend(encode(&Packet::Connect(clean("garbage")), version).unwrap());
        }
        // First bytes that name a packet get further than pure noise.
        bytes.push((random() % 256) as u8);
        bytes.push((random() % 64) as u8);
        bytes.extend((0..500).map(|_| (random() % 256) as u8));
        // The broker may close while the rest is on its way.
        let _ = timeout(LONG, stream.write_all(&bytes)).await.expect("the broker reads or closes");
    }
    witness.send(&Packet::Pingreq).await;
    assert_eq!(witness.next().await, Some(Packet::Pingresp));
}

async fn listening(settings: Settings) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { Broker::new(settings).listen(listener).await });
    address
}

#[tokio::test]
async fn messages_and_thousands_of_subscriptions_over_tcp() {
    let address = listening(settings()).await;
    let stream = || async { TcpStream::connect(address).await.unwrap() };
    let mut subscriber = Client::connected(stream().await, V5_0, clean("s")).await;
    let filters: Vec<String> = (0..3_000).map(|number| format!("t/{number}")).collect();
    let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
    for piece in filters.chunks(1_000) {
        subscriber.send(&subscribe(piece, Qos::AtLeastOnce)).await;
        assert!(matches!(subscriber.next().await, Some(Packet::Suback(suback)) if suback.codes.len() == 1_000));
    }
    let mut publisher = Client::connected(stream().await, V3_1_1, clean("p")).await;
    for topic in &filters {
        publisher.send(&publish(topic, QOS_1, b"m".to_vec())).await;
    }
    for topic in &filters {
        assert!(matches!(publisher.next().await, Some(Packet::Puback(_))));
        assert!(matches!(subscriber.next().await, Some(Packet::Publish(publish)) if *publish.topic == **topic));
    }
}

#[tokio::test]
async fn the_last_packet_arrives_over_tcp_although_the_client_goes_on_sending() {
    let address = listening(settings()).await;
    for _ in 0..20 {
        let stream = TcpStream::connect(address).await.unwrap();
        let mut client = Client::connected(stream, V5_0, clean("c")).await;
        let mut bytes = b"\xC1\x00".to_vec();
        bytes.extend([0; 50_000]);
        client.send_bytes(&bytes).await;
        assert!(matches!(client.next().await, Some(Packet::Disconnect(_))));
        assert_eq!(client.next().await, None);
    }
}

#[tokio::test]
async fn a_packet_above_the_announced_maximum_is_refused_when_its_header_is_there() {
    let address = listening(settings()).await;
    let mut client = Client::new(TcpStream::connect(address).await.unwrap(), V5_0);
    let properties = ConnectProperties::default();
    client.send(&Packet::Connect(Connect { properties, ..clean("c") })).await;
    let Some(Packet::Connack(connack)) = client.next().await else { panic!("expected CONNACK") };
    let maximum = connack.properties.maximum_packet_size.unwrap().get();
    assert_eq!(maximum, 1024 * 1024);
    // A PUBLISH of exactly the maximum goes through, one byte more does not.
    let payload = maximum as usize - b"\x30\xFC\xFF\x3F\x00\x01t\x00".len();
    client.send(&publish("t", Delivery::AtMostOnce, vec![0; payload])).await;
    client.send(&Packet::Pingreq).await;
    assert_eq!(client.next().await, Some(Packet::Pingresp));
    client.send_bytes(b"\x30\xFD\xFF\x3F").await;
    assert!(matches!(client.next().await, Some(Packet::Disconnect(disconnect)) if disconnect.reason.value() == 0x95));
    assert_eq!(client.next().await, None);
}

#[tokio::test]
async fn a_broker_ends_when_nobody_holds_it() {
    let broker = Broker::new(settings());
    let (client, server) = tokio::io::duplex(64);
    broker.attach(server);
    drop((broker, client));
    // Its tasks notice by themselves: soon only this one is left.
    let metrics = tokio::runtime::Handle::current().metrics();
    timeout(LONG, async {
        while metrics.num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the broker's tasks end");
}
