//! The handle of a running broker.

use super::connection;
use super::outbox::{End, Outbox};
use crate::core::{
    Action, CallOutcome, CallRequest, CloudEvent, ConnectionId, Core, DeviceMessage, Input, MessageId, Milliseconds,
};
use crate::settings::Settings;
use crate::switch::Switch;
use model::device::{Device, Transport};
use model::wire::encode;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use transport::Stream;
use transport::web_socket::Manners;

/// A running broker. Clones are handles of the same one; it ends when the last handle and the last connection are gone.
#[derive(Debug, Clone)]
pub struct Broker(Arc<Shared>);

/// What all tasks of a broker share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    state: Mutex<State>,
    deadline_moved: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    core: Core,
    outboxes: BTreeMap<ConnectionId, Arc<Outbox>>,
    opened: u64,
    /// Who waits for the end of a call.
    calls: BTreeMap<MessageId, oneshot::Sender<CallOutcome>>,
    /// Who gets what devices publish.
    audience: Option<Audience>,
    /// The zero of the core's time; set when the clock task starts, with the first connection.
    started: Option<Instant>,
}

impl Broker {
    /// A broker with nobody connected. Needs no runtime yet.
    #[must_use]
    pub fn new(settings: Settings) -> Broker {
        let state = State {
            core: Core::new(settings.clone()),
            outboxes: BTreeMap::new(),
            opened: 0,
            calls: BTreeMap::new(),
            audience: None,
            started: None,
        };
        Broker(Arc::new(Shared { settings, state: Mutex::new(state), deadline_moved: Arc::default() }))
    }

    /// Serves a Client at the other end of `stream`, in tasks of its own: returns when the connection is registered.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled.
    pub fn attach(&self, stream: impl Stream + 'static) {
        self.attach_over(Transport::Plain, stream);
    }

    /// Serves a Client as [`attach`](Broker::attach) does, over a stream that is known to be plain or encrypted: devices say in
    /// their logins which of both it is, and are refused if it is not.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled.
    pub fn attach_over(&self, transport: Transport, stream: impl Stream + 'static) {
        self.serve(transport, Box::new(stream));
    }

    pub(super) fn serve(&self, transport: Transport, stream: Box<dyn Stream>) {
        let outbox = Arc::new(Outbox::default());
        let id = {
            let mut state = self.0.lock();
            self.start_clock(&mut state);
            state.opened += 1;
            let id = ConnectionId(state.opened);
            state.outboxes.insert(id, Arc::clone(&outbox));
            id
        };
        self.0.handle(id, [Input::Opened(transport)]);
        connection::spawn(Arc::clone(&self.0), id, stream, outbox);
    }

    /// Calls a device, and waits for the end of the call.
    pub(crate) async fn call(&self, request: CallRequest) -> (MessageId, CallOutcome) {
        let (sender, receiver) = oneshot::channel();
        let id = self.act(|state, now| {
            let id = state.core.call(now, request);
            state.calls.insert(id, sender);
            id
        });
        // The core ends every call; it is gone only if the broker is.
        (id, receiver.await.unwrap_or(CallOutcome::Timeout))
    }

    /// Does something with the core, and what follows from it.
    pub(crate) fn with_core<T>(&self, act: impl FnOnce(&mut Core, Milliseconds) -> T) -> T {
        self.act(|state, now| act(&mut state.core, now))
    }

    /// Whether it is to misbehave in this way.
    pub(crate) fn misbehaves(&self, switch: Switch) -> bool {
        self.0.settings.misbehaves(switch)
    }

    /// From now on, this gets what devices publish.
    pub(crate) fn tell(&self, audience: impl Fn(DeviceMessage) + Send + Sync + 'static) {
        self.0.lock().audience = Some(Audience(Arc::new(audience)));
    }

    fn act<T>(&self, act: impl FnOnce(&mut State, Milliseconds) -> T) -> T {
        let mut state = self.0.lock();
        self.start_clock(&mut state);
        let now = state.now();
        let done = act(&mut state, now);
        state.deliver(&self.0.settings);
        self.0.deadline_moved.notify_one();
        done
    }

    /// The clock runs from the first moment at which something can happen.
    fn start_clock(&self, state: &mut State) {
        if state.started.is_none() {
            state.started = Some(Instant::now());
            tokio::spawn(keep_time(Arc::downgrade(&self.0), Arc::clone(&self.0.deadline_moved)));
        }
    }

    /// Takes the right to log in from a device, and ends its connection (P-RC-9).
    pub fn disable(&self, device: &Device) {
        self.0.apply(|core| core.disable(device));
    }

    /// Gives a device the right back to log in.
    pub fn enable(&self, device: &Device) {
        self.0.apply(|core| core.enable(device));
    }

    /// How it keeps to the rules of MQTT over WebSocket.
    pub(super) fn manners(&self) -> Manners {
        let settings = &self.0.settings;
        let broken = [
            (Switch::SubprotocolNotNamed, Manners::NamesNoSubprotocol),
            (Switch::TextFramesTaken, Manners::TakesText),
            (Switch::TextFramesSent, Manners::SendsText),
            (Switch::FramesTakenForPackets, Manners::ExpectsWholePackets),
        ];
        let broken = broken.into_iter().find(|(switch, _)| settings.misbehaves(*switch));
        broken.map_or(Manners::Proper, |(_, manners)| manners)
    }
}

/// Who gets what devices publish.
#[derive(Clone)]
struct Audience(Arc<dyn Fn(DeviceMessage) + Send + Sync>);

impl std::fmt::Debug for Audience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Audience(..)")
    }
}

/// Lets the core's deadlines come true, until the broker is gone.
async fn keep_time(shared: Weak<Shared>, deadline_moved: Arc<Notify>) {
    loop {
        let deadline = match shared.upgrade() {
            None => return,
            Some(shared) => shared.advance(),
        };
        match deadline {
            None => deadline_moved.notified().await,
            Some(deadline) => tokio::select! {
                () = tokio::time::sleep_until(deadline) => {}
                () = deadline_moved.notified() => {}
            },
        }
    }
}

impl Shared {
    /// Hands inputs of one connection to the core, and its outputs to the outboxes.
    pub(super) fn handle(&self, id: ConnectionId, inputs: impl IntoIterator<Item = Input>) {
        let mut state = self.lock();
        let before = state.core.next_deadline();
        let now = state.now();
        for input in inputs {
            state.core.handle(now, id, input);
            state.deliver(&self.settings);
        }
        let after = state.core.next_deadline();
        if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
            self.deadline_moved.notify_one();
        }
    }

    /// Does something to the core that no Client asked for.
    fn apply(&self, what: impl FnOnce(&mut Core)) {
        let mut state = self.lock();
        let now = state.now();
        state.core.advance(now);
        what(&mut state.core);
        state.deliver(&self.settings);
        self.deadline_moved.notify_one();
    }

    /// The tasks of a connection are done with it.
    pub(super) fn detach(&self, id: ConnectionId) {
        self.lock().outboxes.remove(&id);
    }

    /// Does what is due, and returns when to come again.
    fn advance(&self) -> Option<Instant> {
        let mut state = self.lock();
        let now = state.now();
        state.core.advance(now);
        state.deliver(&self.settings);
        let deadline = state.core.next_deadline()?;
        state.started.map(|started| started + Duration::from_millis(deadline))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The core does not panic; if it did, serving on with the other connections would still be the better answer.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.deadline_moved.notify_one();
    }
}

impl State {
    fn tell_the_cloud(&mut self) {
        while let Some(event) = self.core.next_cloud_event() {
            match event {
                CloudEvent::CallEnded { id, outcome } => {
                    if let Some(caller) = self.calls.remove(&id) {
                        // A caller that has gone has no use for it.
                        let _ = caller.send(outcome);
                    }
                }
                CloudEvent::Published(message) => {
                    if let Some(Audience(listens)) = &self.audience {
                        listens(*message);
                    }
                }
            }
        }
    }

    fn now(&self) -> Milliseconds {
        let elapsed = self.started.map_or(Duration::ZERO, |started| started.elapsed());
        Milliseconds::try_from(elapsed.as_millis()).unwrap_or(Milliseconds::MAX)
    }

    fn deliver(&mut self, settings: &Settings) {
        while let Some(output) = self.core.next_output() {
            let Some(outbox) = self.outboxes.get(&output.connection) else { continue };
            let Action::Send(version, packet) = output.action else {
                outbox.close(End::Flush);
                continue;
            };
            let taken = encode(&packet, version).is_ok_and(|bytes| outbox.put(&bytes, settings.limits.unread_bytes));
            if !taken {
                // The Client does not read. (That a packet cannot be encoded would be our fault: no other answer either.)
                outbox.close(End::Abort);
                self.core.handle(self.now(), output.connection, Input::Closed);
            }
        }
        self.tell_the_cloud();
    }
}
