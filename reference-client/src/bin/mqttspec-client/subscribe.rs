//! `mqttspec-client sub`

use crate::arguments::SubscribeArguments;
use crate::failure::Failure;
use crate::server::connect;
use model::packet::{SubscribeProperties, SubscriptionOptions, SubscriptionRequest};
use reference_client::{Client, Event, Events, Received, Utf8String};
use std::future::pending;
use std::io::{self, Write};
use tokio::signal::ctrl_c;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

pub(crate) async fn run(arguments: SubscribeArguments) -> Result<(), Failure> {
    let requests = requests(&arguments)?;
    let (client, mut events) = tokio::select! {
        connected = connect(&arguments.connection) => connected?,
        _ = ctrl_c() => return incomplete(arguments.count.is_some()),
    };
    let stopped = tokio::select! {
        stopped = follow(&client, &mut events, requests, arguments.count.map(u64::from)) => stopped,
        () = async { match arguments.timeout {
            Some(time) => sleep(time).await,
            None => pending().await,
        } } => Ok(Stopped::TimeOver),
        _ = ctrl_c() => Ok(Stopped::Interrupted),
    };
    let over = client.disconnect().await.is_err();
    match stopped? {
        // The connection ended first: its cause is the failure.
        Stopped::Ended => Err(events.ended().await.cause.into()),
        Stopped::TimeOver if over => Err(events.ended().await.cause.into()),
        Stopped::TimeOver | Stopped::Interrupted => incomplete(arguments.count.is_some()),
        Stopped::Complete | Stopped::NobodyReads => Ok(()),
    }
}

/// Leaving early is a failure if a number of messages was asked for.
fn incomplete(counted: bool) -> Result<(), Failure> {
    match counted {
        true => Err(Failure::Refused("fewer messages came than --count asks for".to_owned())),
        false => Ok(()),
    }
}

/// Why following the topics stopped.
enum Stopped {
    /// As many messages as asked for.
    Complete,
    /// `--timeout` is over.
    TimeOver,
    /// Ctrl-C.
    Interrupted,
    /// The other end of the pipe on stdout is closed.
    NobodyReads,
    /// The connection is over.
    Ended,
}

fn requests(arguments: &SubscribeArguments) -> Result<Vec<SubscriptionRequest>, Failure> {
    let options = SubscriptionOptions { qos: arguments.qos, ..SubscriptionOptions::default() };
    let request = |filter: &String| match Utf8String::new(filter.as_str()) {
        Ok(filter) => Ok(SubscriptionRequest { filter, options }),
        Err(error) => Err(Failure::Usage(format!("--topic: {error}"))),
    };
    arguments.topic.iter().map(request).collect()
}

/// Subscribes and prints. Messages may come before SUBACK, so both are awaited together.
async fn follow(
    client: &Client,
    events: &mut Events,
    requests: Vec<SubscriptionRequest>,
    count: Option<u64>,
) -> Result<Stopped, Failure> {
    let filters: Vec<Utf8String> = requests.iter().map(|request| request.filter.clone()).collect();
    let mut subscribed = std::pin::pin!(client.subscribe_to(requests, SubscribeProperties::default()));
    let mut unanswered = true;
    let mut printed = 0;
    while count.is_none_or(|count| printed < count) {
        tokio::select! {
            granted = &mut subscribed, if unanswered => {
                unanswered = false;
                for (filter, granted) in filters.iter().zip(granted?) {
                    granted.map_err(|code| Failure::Refused(format!("the server refused `{filter}`: {code}")))?;
                }
            }
            event = events.next() => match event {
                Some(Event::Message(message)) => match print(message).await {
                    Ok(()) => printed += 1,
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Stopped::NobodyReads),
                    Err(error) => return Err(Failure::Refused(format!("cannot write to stdout: {error}"))),
                },
                // Nothing was resumed.
                Some(Event::ResentSettled { .. }) => {}
                None => return Ok(Stopped::Ended),
            },
        }
    }
    Ok(Stopped::Complete)
}

/// Prints a line, on another thread: a full pipe must not hold up Keep Alive.
pub(crate) async fn print(message: Received) -> io::Result<()> {
    let write = move || {
        let mut line = message.topic.as_bytes().to_vec();
        line.push(b' ');
        line.extend(&message.payload);
        line.push(b'\n');
        let mut out = io::stdout().lock();
        out.write_all(&line)?;
        out.flush()
    };
    spawn_blocking(write).await.map_err(io::Error::other)?
}
