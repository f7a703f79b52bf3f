//! One step by itself: for whoever acts as a script would, without a script.

use super::read::{Reading, read};
use super::request::Prepared;
use super::scope::Scope;
use super::step::{Action, Step};
use super::template::{BuildError, Built};
use super::transport::Transport;
use super::value::Text;
use super::yaml;
use model::packet::ProtocolVersion;
use std::sync::Arc;

/// What a step does, with the values of its variables.
#[derive(Debug)]
pub(crate) enum Line {
    /// A packet goes out, over this if the step says so.
    Sends(Box<Built>, Option<model::device::Transport>),
    /// The API is asked.
    Asks(Box<Prepared>),
}

/// Reads one step and builds what it sends or asks for.
///
/// # Errors
/// When it is no such step, or a variable has no value.
pub(crate) fn line(text: &str, version: ProtocolVersion, scope: &mut Scope) -> Result<Line, BuildError> {
    match step(text, version)?.action {
        Action::Send { actor, template } => {
            let built = template.build(scope, &actor, version)?;
            Ok(Line::Sends(Box::new(built), template.transport()))
        }
        Action::Ask { template, .. } => Ok(Line::Asks(Box::new(template.build(scope)?))),
        _ => Err(BuildError(format!("`{text}` sends no packet and asks for nothing"))),
    }
}

fn step(text: &str, version: ProtocolVersion) -> Result<Step, BuildError> {
    let node = yaml::parse(text).map_err(|(_, message)| BuildError(message))?;
    let file: Arc<str> = "a line".into();
    let reading = Reading { file: &file, version, versions: &[version], transport: Some(Transport::Ws) };
    let mut faults = Vec::new();
    let step = read(&node, &reading, &mut faults).map_err(|(_, message)| BuildError(message))?;
    step.ok_or_else(|| BuildError(format!("`{text}` is no step of {version}")))
}

/// A text with the values of its variables.
///
/// # Errors
/// When it is malformed, or a variable has no value.
pub(crate) fn spell(text: &str, scope: &Scope) -> Result<String, BuildError> {
    Text::parse(text).map_err(BuildError)?.resolve(scope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Credentials, Roster};
    use model::device::Transport as Carrier;
    use model::packet::Packet;
    use std::collections::BTreeSet;

    #[test]
    fn a_line_does_what_its_step_does() {
        let roster = Roster::made_up(&BTreeSet::from(["ann", "bob"]), Carrier::Plain, "/{deviceName}", "m");
        let mut scope = Scope::new("t", "m", Credentials::default()).with_devices(Some(roster));
        let mut read = |text: &str| line(text, ProtocolVersion::V5_0, &mut scope);
        let Ok(Line::Sends(built, over)) = read("ann -> CONNECT: {login: {device: bob, over: tls}}") else { panic!() };
        let Some(Packet::Connect(connect)) = built.packet else { panic!() };
        assert_eq!(connect.user_name.unwrap().as_str(), "mbob&mqttspec");
        assert_eq!(over, Some(Carrier::Encrypted));
        let Ok(Line::Asks(prepared)) = read("api -> Pub: {topic: $bob.topics/a}") else { panic!() };
        assert_eq!(prepared.request.parameter("TopicFullName"), Some("/mbob/a"));
        assert!(read("ann <- CONNACK").is_err() && read("ann -> CONNECT: {login: {device: nobody}}").is_err());
        assert_eq!(spell("$$x $bob.device_name", &scope), Ok("$x mbob".to_owned()));
    }
}
