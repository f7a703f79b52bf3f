//! What stands between TCP and what a business server says: nothing, or the TLS that devices get too.

use tokio::net::TcpStream;
use transport::web_socket::Manners;
use transport::{Entrance, Stream};

/// Hands on a business server as soon as it gets through `entrance`. One that does not is let go: it was told why as far as TLS
/// can tell.
pub(super) fn let_in(stream: TcpStream, entrance: &Entrance, attach: impl FnOnce(Box<dyn Stream>) + Send + 'static) {
    let entrance = entrance.clone();
    tokio::spawn(async move {
        if let Ok(admitted) = entrance.admit(Box::new(stream), Manners::Proper).await {
            attach(admitted.stream);
        }
    });
}
