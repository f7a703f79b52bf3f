//! A device, against the reference broker with a registry.

use model::device::{Device, DeviceLogin, Registered, Registry, Secret, SignMethod};
use model::packet::{PublishProperties, Qos, UserProperty, Utf8String};
use model::profile::Profile;
use reference_broker::{Broker, Logins, Settings};
use reference_client::{Client, ConnectOptions, Event, Message, ProtocolVersion};
use std::sync::Arc;
use tokio::io::duplex;

fn broker() -> Broker {
    let mut registry = Registry::new();
    registry.add_device(&Device::new("pk", "lamp"), Registered::with_secret(Secret::new("s3cr3t")));
    let mut settings = Settings::from_profile(Profile::builtin("platform").unwrap());
    settings.logins = Logins::Registered(Arc::new(registry));
    Broker::new(settings)
}

fn text(text: &str) -> Utf8String {
    Utf8String::new(text).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_device_logs_in_with_every_method_in_every_version() {
    for version in ProtocolVersion::ALL {
        for sign_method in SignMethod::ALL {
            let login = DeviceLogin {
                sign_method,
                timestamp: Some("2524608000000".to_owned()),
                ..DeviceLogin::new(Device::new("pk", "lamp"))
            };
            let (ours, theirs) = duplex(1 << 16);
            broker().attach(theirs);
            let options = ConnectOptions::of_device(version, &login, &Secret::new("s3cr3t")).unwrap();
            let (client, events) = Client::connect(ours, options).await.unwrap();
            client.disconnect().await.unwrap();
            drop(events);
            let (ours, theirs) = duplex(1 << 16);
            broker().attach(theirs);
            let options = ConnectOptions::of_device(version, &login, &Secret::new("another")).unwrap();
            assert!(Client::connect(ours, options).await.is_err(), "{version} {sign_method}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn properties_of_a_request_come_back() {
    let (ours, theirs) = duplex(1 << 16);
    broker().attach(theirs);
    let login = DeviceLogin::new(Device::new("pk", "lamp"));
    let options = ConnectOptions::of_device(ProtocolVersion::V5_0, &login, &Secret::new("s3cr3t")).unwrap();
    let (client, mut events) = Client::connect(ours, options).await.unwrap();
    client.subscribe("/pk/lamp/user/#", Qos::AtLeastOnce).await.unwrap();
    let property: UserProperty = (text("key1"), text("value1"));
    let properties = PublishProperties {
        response_topic: Some(text("/pk/lamp/user/get")),
        correlation_data: Some(vec![0, 255]),
        user_properties: vec![property],
        ..PublishProperties::default()
    };
    let message = Message::new("/pk/lamp/user/update", "on").unwrap().at(Qos::AtLeastOnce);
    client.publish(Message { properties: properties.clone(), ..message }).await.unwrap();
    match events.next().await {
        Some(Event::Message(received)) => assert_eq!(received.properties, properties),
        other => panic!("{other:?}"),
    }
    client.disconnect().await.unwrap();
}
