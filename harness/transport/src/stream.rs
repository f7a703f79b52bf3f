//! What carries bytes.

use std::fmt::Debug;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Any byte stream that can carry MQTT. What is written may wait until it is flushed.
///
/// What is put on top of one takes it in a box: TLS, WebSocket, HTTP and AMQP are compiled once, and not once for each kind of
/// stream in each program.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + Debug + ?Sized> Stream for T {}

/// A TCP connection that sends small packets at once, and confirms at once what came.
///
/// A peer that writes small packets one by one, without TCP_NODELAY, waits with the second one until the first is confirmed;
/// and a system that saves confirmations waits 40 ms with that. So every answer behind another packet would cost 40 ms.
#[derive(Debug)]
pub struct PromptTcp(TcpStream);

impl PromptTcp {
    /// Small packets leave at once, and so do confirmations, as far as the system can do that.
    ///
    /// # Errors
    /// When the connection is broken already.
    pub fn new(stream: TcpStream) -> io::Result<PromptTcp> {
        stream.set_nodelay(true)?;
        let prompt = PromptTcp(stream);
        prompt.confirm();
        Ok(prompt)
    }

    /// The system forgets it after some packets: it is said again and again.
    fn confirm(&self) {
        // Without it all is as before, only slower.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = self.0.set_quickack(true);
    }
}

impl AsyncRead for PromptTcp {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.0).poll_read(context, into));
        self.confirm();
        Poll::Ready(read)
    }
}

impl AsyncWrite for PromptTcp {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
