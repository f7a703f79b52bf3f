//! From a listener to a connection on which MQTT begins.

use super::broker::Broker;
use model::device::Transport;
use std::io;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use transport::{Entrance, Stream};

impl Broker {
    /// Serves every Client that connects to `listener`; ends only when the future is dropped.
    pub async fn listen(&self, listener: TcpListener) {
        self.listen_behind(listener, Entrance::default()).await;
    }

    /// The same, for Clients that get through `entrance` first.
    pub async fn listen_behind(&self, listener: TcpListener, entrance: Entrance) {
        each_connection(listener, |stream| {
            // Small packets at once. A socket that refuses is about to fail anyway.
            let _ = stream.set_nodelay(true);
            self.admit(stream, &entrance);
        })
        .await;
    }

    /// Serves a Client at the other end of `stream` as soon as it gets through `entrance`, in tasks of its own. One that
    /// does not is let go: it was told why as far as TLS and WebSocket can tell.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled.
    pub fn admit(&self, stream: impl Stream + 'static, entrance: &Entrance) {
        self.admit_boxed(Box::new(stream), entrance);
    }

    fn admit_boxed(&self, stream: Box<dyn Stream>, entrance: &Entrance) {
        if entrance.is_open() {
            return self.serve(Transport::Plain, stream);
        }
        let (broker, entrance) = (self.clone(), entrance.clone());
        tokio::spawn(async move {
            if let Ok(admitted) = entrance.admit(stream, broker.manners()).await {
                let transport = if admitted.is_encrypted { Transport::Encrypted } else { Transport::Plain };
                broker.serve(transport, admitted.stream);
            }
        });
    }
}

/// Hands on whoever connects to `listener`; ends only when the future is dropped.
pub(crate) async fn each_connection(listener: TcpListener, mut serve: impl FnMut(TcpStream)) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => serve(stream),
            // Out of descriptors, mostly: some will come free. Other errors concern the one Client that gave up.
            Err(error) if is_lasting(&error) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(_) => {}
        }
    }
}

/// Whether an error of a listener will be there again at once.
fn is_lasting(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
