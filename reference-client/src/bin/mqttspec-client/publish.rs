//! `mqttspec-client pub`

use crate::arguments::PublishArguments;
use crate::failure::Failure;
use crate::server::connect;
use reference_client::Message;
use tokio::signal::ctrl_c;

pub(crate) async fn run(arguments: PublishArguments) -> Result<(), Failure> {
    let message = Message::new(arguments.topic, arguments.message)
        .map_err(|error| Failure::Usage(format!("--topic: {error}")))?
        .at(arguments.qos);
    let message = if arguments.retain { message.retained() } else { message };
    let (client, events) = tokio::select! {
        connected = connect(&arguments.connection) => connected?,
        _ = ctrl_c() => return Err(interrupted()),
    };
    let published = tokio::select! {
        published = client.publish(message) => published.map(|_| ()).map_err(Failure::from),
        _ = ctrl_c() => Err(interrupted()),
    };
    match client.disconnect().await {
        Ok(()) => published,
        // The connection is over already: its end is the better explanation.
        Err(_) => Err(events.ended().await.cause.into()),
    }
}

fn interrupted() -> Failure {
    Failure::Refused("interrupted before the message was acknowledged".to_owned())
}
