//! The application's receiving end.

use crate::connection::Event;
use crate::{Cause, Ended};
use tokio::sync::{mpsc, oneshot};

/// What the Server sends, and how the connection ends.
///
/// Events wait in a bounded queue; while it is full nothing is read from the Server, so take them beside other calls. A
/// message is acknowledged when it enters the queue. Dropping `Events` means that messages are acknowledged and thrown
/// away (MQTT-4.5.0-2).
#[derive(Debug)]
pub struct Events {
    pub(super) events: mpsc::Receiver<Event>,
    pub(super) ended: oneshot::Receiver<Ended>,
}

impl Events {
    /// The next event, or `None` when the connection is over. Cancel-safe.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Waits for the end of the connection, throws away events that were not taken, and tells the cause. Here the session
    /// comes out that the next connection may resume.
    pub async fn ended(mut self) -> Ended {
        self.events.close();
        drop(self.events);
        self.ended.await.unwrap_or(Ended { cause: Cause::TaskStopped, session: None })
    }
}
