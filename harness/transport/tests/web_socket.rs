//! The upgrade, frames, and what breaks the rules of MQTT over WebSocket.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use transport::Address;
use transport::web_socket::{Framed, Manners, accept, connect};

fn address() -> Address {
    "ws://localhost:1".parse().unwrap()
}

async fn pair(manners: Manners) -> (Framed, Framed) {
    let (ours, theirs) = duplex(4096);
    let serving = tokio::spawn(async move { accept(Box::new(theirs), manners).await.unwrap() });
    let client = connect(Box::new(ours), &address()).await.unwrap();
    (client, serving.await.unwrap())
}

/// What a client is told that a server answers in this way.
async fn told(answer: &'static [u8]) -> String {
    let (ours, mut theirs) = duplex(4096);
    let serving = tokio::spawn(async move {
        let mut request = vec![0; 64];
        theirs.read_exact(&mut request).await.unwrap();
        theirs.write_all(answer).await.unwrap();
        // What it asks beyond that is read, or the answer would be lost.
        theirs.shutdown().await.unwrap();
        let _ = theirs.read_to_end(&mut request).await;
    });
    let error = connect(Box::new(ours), &address()).await.expect_err("it is refused").to_string();
    serving.await.unwrap();
    error
}

#[tokio::test]
async fn bytes_come_through_whatever_the_frames() {
    let (mut client, mut server) = pair(Manners::Proper).await;
    assert_eq!(client.frames().subprotocol(), Some("mqtt"));
    for piece in [b"ab".as_slice(), b"c", b"defgh"] {
        client.write_all(piece).await.unwrap();
        client.flush().await.unwrap();
    }
    let mut heard = [0; 8];
    server.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"abcdefgh");
    client.shutdown().await.unwrap();
    assert_eq!(server.read(&mut heard).await.unwrap(), 0);
}

#[tokio::test]
async fn a_text_frame_is_no_mqtt() {
    let (mut client, mut server) = pair(Manners::Proper).await;
    client.frames().send_text();
    client.write_all(b"text").await.unwrap();
    client.flush().await.unwrap();
    let error = server.read(&mut [0; 8]).await.expect_err("a text frame");
    assert!(error.to_string().contains("text frame"), "{error}");
    assert!(server.frames().got_text());
}

#[tokio::test]
async fn a_server_without_manners_can_be_told() {
    let (client, _) = pair(Manners::NamesNoSubprotocol).await;
    assert_eq!(client.frames().subprotocol(), None);

    let (mut client, mut server) = pair(Manners::TakesText).await;
    client.frames().send_text();
    client.write_all(b"text").await.unwrap();
    client.flush().await.unwrap();
    let mut heard = [0; 4];
    server.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"text");

    let (mut client, mut server) = pair(Manners::SendsText).await;
    server.write_all(&[0x20, 2, 0, 0]).await.unwrap();
    server.flush().await.unwrap();
    assert!(client.read(&mut heard).await.is_err() && client.frames().got_text());

    // Two packets in a frame: one is lost. A part of one: the connection is.
    let (mut client, mut server) = pair(Manners::ExpectsWholePackets).await;
    client.write_all(&[0xc0, 0, 0xc0, 0]).await.unwrap();
    client.flush().await.unwrap();
    assert_eq!(server.read(&mut heard).await.unwrap(), 2);
    client.write_all(&[0xc0]).await.unwrap();
    client.flush().await.unwrap();
    assert!(server.read(&mut heard).await.is_err());
}

#[tokio::test]
async fn a_refused_upgrade_says_what_came() {
    let refused = told(b"HTTP/1.1 404 Not Found\r\n\r\n").await;
    assert!(refused.contains("`HTTP/1.1 404 Not Found`") && refused.contains("the path right?"), "{refused}");
    let mqtt = told(b"\x20\x02\x00\x05").await;
    assert!(mqtt.contains("is it the port with WebSocket"), "{mqtt}");
    let wrong = told(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n").await;
    assert!(wrong.contains("wrong Sec-WebSocket-Accept"), "{wrong}");
}

#[tokio::test]
async fn a_client_that_offers_another_subprotocol_is_refused() {
    let (mut ours, theirs) = duplex(4096);
    let serving = tokio::spawn(accept(Box::new(theirs), Manners::Proper));
    let request = "GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
                   Sec-WebSocket-Protocol: chat\r\n\r\n";
    ours.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    ours.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(serving.await.unwrap().is_err());
}
