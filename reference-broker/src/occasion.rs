//! What must come up before a misbehaviour can show.

/// Something that happens between clients and the broker. Without it a misbehaviour that waits for it changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Occasion {
    /// A client that was there before connects.
    Return,
    /// A CONNECT has a Will.
    Will,
    /// A client publishes.
    Publish,
    /// A message is published with RETAIN.
    Retain,
    /// A message of QoS 2 is published.
    Qos2,
    /// A message is published with a Topic Alias.
    Alias,
    /// A message has a Message Expiry Interval.
    MessageExpiry,
    /// A client subscribes.
    Subscribe,
    /// A SUBSCRIBE asks for a Shared Subscription.
    Shared,
    /// A client unsubscribes.
    Unsubscribe,
    /// A PUBLISH or a SUBSCRIBE names a topic.
    Topic,
    /// The server ends a connection.
    Close,
    /// A connection is a WebSocket.
    WebSocket,
    /// A device logs in.
    Login,
    /// A device registers.
    Registration,
    /// A cloud side calls, publishes or listens: no connection of a client shows it.
    Cloud,
}
