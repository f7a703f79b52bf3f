//! `mqttspec-client device`

use crate::arguments::DeviceArguments;
use crate::failure::Failure;
use crate::server::open;
use crate::subscribe::print;
use model::device::{Device, DeviceLogin, Secret};
use model::packet::{PublishProperties, SubscribeProperties, SubscriptionOptions, SubscriptionRequest, UserProperty};
use reference_client::{
    Client, ConnectOptions, Event, Events, Message, ProtocolVersion, Qos, Received, Utf8String, call_answer_topic,
};
use std::fmt;
use std::future::pending;
use std::io::{self, Write};
use tokio::signal::ctrl_c;
use tokio::time::sleep;

pub(crate) async fn run(arguments: DeviceArguments) -> Result<(), Failure> {
    let device = Device::new(&arguments.product, &arguments.device);
    let options = options(&arguments, &device)?;
    let requests = requests(&arguments, &device)?;
    let messages = messages(&arguments, &device)?;
    let (client, mut events) = tokio::select! {
        connected = open(&arguments.server, options) => connected?,
        _ = ctrl_c() => return Ok(()),
    };
    // Where it stands is for people: results are on stdout.
    let _ = writeln!(io::stderr(), "online as {device}");
    let lived = tokio::select! {
        lived = live(&client, &mut events, &arguments, &device, requests, messages) => lived,
        () = async { match arguments.timeout {
            Some(time) => sleep(time).await,
            None => pending().await,
        } } => match arguments.count {
            Some(_) => Err(Failure::Refused("fewer messages came than --count asks for".to_owned())),
            None => Ok(()),
        },
        _ = ctrl_c() => Ok(()),
    };
    match client.disconnect().await {
        Ok(()) => lived,
        Err(_) => lived.and(Err(events.ended().await.cause.into())),
    }
}

fn usage(option: &str, error: &dyn fmt::Display) -> Failure {
    Failure::Usage(format!("{option}: {error}"))
}

fn options(arguments: &DeviceArguments, device: &Device) -> Result<ConnectOptions, Failure> {
    for (option, name) in [("--product", device.product_key()), ("--device", device.name())] {
        Device::check_name(name).map_err(|error| usage(option, &error))?;
    }
    let variable = &arguments.secret_env;
    let secret = std::env::var(variable);
    let secret =
        secret.map_err(|_| usage("--secret-env", &format!("there is no text in the variable `{variable}`")))?;
    let mut login = DeviceLogin {
        // P-CID-3.
        secure_mode: if arguments.server.is_encrypted() { "2" } else { "3" }.to_owned(),
        sign_method: arguments.sign,
        timestamp: arguments.timestamp.map(|timestamp| timestamp.to_string()),
        // Calls on custom topics, and notices.
        parameters: vec![("ext".to_owned(), "3".to_owned())],
        ..DeviceLogin::new(device.clone())
    };
    if let Some(name) = &arguments.client_id {
        login.name.clone_from(name);
    }
    let options = ConnectOptions::of_device(arguments.mqtt, &login, &Secret::new(secret));
    let options = options.map_err(|error| usage("--client-id", &error))?;
    Ok(ConnectOptions {
        keep_alive: arguments.keep_alive,
        response_timeout: arguments.server.response_timeout,
        clean_start: !arguments.keep_session,
        session_expiry_interval: match arguments.mqtt {
            ProtocolVersion::V5_0 if arguments.keep_session => u32::MAX,
            _ => 0,
        },
        ..options
    })
}

/// A topic of the device, if it is not a whole one: `user/get` is `/a1B2/lamp/user/get`.
fn whole(device: &Device, topic: &str) -> String {
    match topic.starts_with('/') {
        true => topic.to_owned(),
        false => format!("/{}/{}/{topic}", device.product_key(), device.name()),
    }
}

fn requests(arguments: &DeviceArguments, device: &Device) -> Result<Vec<SubscriptionRequest>, Failure> {
    let options = SubscriptionOptions { qos: Qos::AtLeastOnce, ..SubscriptionOptions::default() };
    let calls = format!("/sys/{}/{}/rrpc/request/+", device.product_key(), device.name());
    // The older pages want a subscription for calls, the newer ones do not (P-RPC-6).
    let custom_calls = format!("/ext/rrpc/+/{}/{}/user/#", device.product_key(), device.name());
    let filters = arguments.subscribe.iter().map(|filter| whole(device, filter)).chain([calls, custom_calls]);
    let request = |filter: String| match Utf8String::new(filter) {
        Ok(filter) => Ok(SubscriptionRequest { filter, options }),
        Err(error) => Err(usage("--subscribe", &error)),
    };
    filters.map(request).collect()
}

/// `--publish TOPIC=TEXT`, with the properties that all of them have.
fn messages(arguments: &DeviceArguments, device: &Device) -> Result<Vec<Message>, Failure> {
    let mut properties = PublishProperties::default();
    for pair in &arguments.user_property {
        let (name, value) = pair.split_once('=').ok_or_else(|| usage("--user-property", &"write NAME=VALUE"))?;
        let text = |text: &str| Utf8String::new(text).map_err(|error| usage("--user-property", &error));
        let property: UserProperty = (text(name)?, text(value)?);
        properties.user_properties.push(property);
    }
    if let Some(topic) = &arguments.response_topic {
        let topic = Utf8String::new(whole(device, topic)).map_err(|error| usage("--response-topic", &error))?;
        properties.response_topic = Some(topic);
    }
    properties.correlation_data = arguments.correlation_data.as_ref().map(|text| text.clone().into_bytes());
    let has_properties = properties != PublishProperties::default();
    if has_properties && !arguments.mqtt.has_properties() {
        return Err(Failure::Usage(format!("messages of MQTT {} have no properties", arguments.mqtt)));
    }
    let message = |written: &String| {
        let (topic, text) = written.split_once('=').ok_or_else(|| usage("--publish", &"write TOPIC=TEXT"))?;
        let message = Message::new(whole(device, topic), text).map_err(|error| usage("--publish", &error))?;
        Ok(Message { properties: properties.clone(), ..message.at(arguments.qos) })
    };
    arguments.publish.iter().map(message).collect()
}

/// Subscribes, publishes, prints what comes and answers calls.
async fn live(
    client: &Client,
    events: &mut Events,
    arguments: &DeviceArguments,
    device: &Device,
    requests: Vec<SubscriptionRequest>,
    messages: Vec<Message>,
) -> Result<(), Failure> {
    let filters: Vec<Utf8String> = requests.iter().map(|request| request.filter.clone()).collect();
    let work = async {
        let granted = client.subscribe_to(requests, SubscribeProperties::default()).await?;
        for (filter, granted) in filters.iter().zip(granted) {
            granted.map_err(|code| Failure::Refused(format!("the server refused `{filter}`: {code}")))?;
        }
        for message in messages {
            client.publish(message).await?;
        }
        Ok::<(), Failure>(())
    };
    let mut work = std::pin::pin!(work);
    let (mut working, mut printed) = (true, 0);
    let is_done = |printed| arguments.once || arguments.count.is_some_and(|count| printed >= count.get());
    while working || !is_done(printed) {
        tokio::select! {
            done = &mut work, if working => {
                working = false;
                done?;
            }
            event = events.next() => match event {
                Some(Event::Message(message)) => {
                    answer(client, device, &message, arguments.answer.as_deref()).await?;
                    printed += 1;
                    match print(message).await {
                        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                        Err(error) => return Err(Failure::Refused(format!("cannot write to stdout: {error}"))),
                        Ok(()) => {}
                    }
                }
                Some(Event::ResentSettled { .. }) => {}
                None => return Ok(()),
            },
        }
    }
    Ok(())
}

/// Answers a call, or a message that says where it wants an answer; by default with what was asked.
async fn answer(client: &Client, device: &Device, asked: &Received, text: Option<&str>) -> Result<(), Failure> {
    let call = call_answer_topic(device, &asked.topic);
    let wanted = call.or_else(|| asked.properties.response_topic.as_ref().map(ToString::to_string));
    let Some(topic) = wanted else { return Ok(()) };
    let payload = text.map_or_else(|| asked.payload.clone(), |text| text.as_bytes().to_vec());
    let message = Message::new(topic, payload).map_err(|error| Failure::Refused(format!("no answer: {error}")))?;
    let properties = PublishProperties {
        correlation_data: asked.properties.correlation_data.clone(),
        ..PublishProperties::default()
    };
    // P-RPC-7
    client.publish(Message { properties, ..message.at(Qos::AtMostOnce) }).await?;
    Ok(())
}
