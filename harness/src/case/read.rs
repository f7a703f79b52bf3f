//! From nodes to steps.

use super::body::{Body, Reserved};
use super::duration;
use super::error::Location;
use super::fields::NoFields;
use super::form::{Form, form};
use super::pattern::PacketPattern;
use super::request::RequestTemplate;
use super::step::{AMQP, API, Action, Expectation, FrameKind, Step};
use super::step_fields::{BytesFields, ElapseFields, RejectedFields, SettleFields};
use super::template::PacketTemplate;
use super::transport::Transport;
use super::yaml::{Content, Mark, Node};
use model::packet::ProtocolVersion;
use std::sync::Arc;

/// What is wrong, and where.
pub(super) type Fault = (Mark, String);

/// What a step is read for.
pub(super) struct Reading<'a> {
    pub(super) file: &'a Arc<str>,
    pub(super) version: ProtocolVersion,
    /// The versions of the case.
    pub(super) versions: &'a [ProtocolVersion],
    /// What has to carry its connections.
    pub(super) transport: Option<Transport>,
}

/// Reads the steps of a script; those that `when` keeps for other versions are left out. All faults are collected.
pub(super) fn read_all<'a>(
    nodes: impl IntoIterator<Item = &'a Node>,
    reading: &Reading<'_>,
    faults: &mut Vec<Fault>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    for node in nodes {
        match read(node, reading, faults) {
            Ok(step) => steps.extend(step),
            Err(fault) => faults.push(fault),
        }
    }
    steps
}

pub(super) fn read(node: &Node, reading: &Reading<'_>, faults: &mut Vec<Fault>) -> Result<Option<Step>, Fault> {
    let (head, body) = match &node.content {
        Content::Scalar(scalar) => (scalar.text.as_str(), None),
        Content::Mapping(entries) => match entries.as_slice() {
            [entry] => (entry.key.as_str(), Some(&entry.value)),
            _ => {
                let message =
                    format!("a step is a map with one key, this one has {}: begin each with `-`", entries.len());
                return Err((node.mark, message));
            }
        },
        Content::Sequence(_) => return Err((node.mark, "expected a step, found a list".to_owned())),
    };
    let form = form(head).map_err(|message| (node.mark, message))?;
    let mut body = Body::new(node.mark, body, reading);
    let action = action(form, &mut body, reading, faults)?;
    // What `when` keeps for other versions may leave nothing of a block.
    let is_empty = match &action {
        Action::AnyOrder(steps) => steps.is_empty(),
        Action::Either(alternatives) => alternatives.is_empty(),
        _ => false,
    };
    if !body.applies || is_empty {
        return Ok(None);
    }
    let location = Location { file: Arc::clone(reading.file), line: node.mark.line, column: node.mark.column };
    let head = head.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = match &body.shown {
        Some(shown) => format!("{head} {shown}"),
        None => head,
    };
    Ok(Some(Step { location, text, action }))
}

fn action(
    form: Form<'_>,
    body: &mut Body<'_>,
    reading: &Reading<'_>,
    faults: &mut Vec<Fault>,
) -> Result<Action, Fault> {
    Ok(match form {
        Form::Opens(actor) => {
            body.fields::<NoFields>(&[])?;
            Action::Opens { actor: actor.to_owned() }
        }
        Form::Drops(actor) => {
            body.fields::<NoFields>(&[])?;
            Action::Drops { actor: actor.to_owned() }
        }
        Form::SendsBytes(actor, frame) => {
            if frame == FrameKind::Text && reading.transport != Some(Transport::Ws) {
                let message = "only a WebSocket has text frames: write `transport: ws` beside the steps";
                return Err((body.mark(), message.to_owned()));
            }
            let bytes = body.scalar_or("bytes", |fields: BytesFields| fields.bytes)?;
            Action::SendBytes { actor: actor.to_owned(), bytes, frame }
        }
        Form::Sends(actor, packet) => {
            let fields = body.outgoing(packet)?;
            let raw = body.raw.take().unwrap_or_default();
            let template = Box::new(PacketTemplate::new(fields, raw, body.bind.take()));
            Action::Send { actor: actor.to_owned(), template }
        }
        Form::Expects(actor, packet) => {
            let pattern = PacketPattern::new(body.incoming(packet)?, reading.version);
            expect(actor, Expectation::Packet(Box::new(pattern)), body)
        }
        Form::ExpectsSilence(actor) => {
            body.fields::<NoFields>(&[])?;
            expect(actor, Expectation::Silence, body)
        }
        Form::ExpectsClose(actor) => {
            body.fields::<NoFields>(&[Reserved::Within])?;
            expect(actor, Expectation::Closed, body)
        }
        Form::ExpectsRejection(actor) => {
            let fields: RejectedFields = body.fields(&[Reserved::Within])?;
            expect(actor, Expectation::Rejected(fields.code.0), body)
        }
        Form::Asks(asking) => {
            let fields = body.fields(&[Reserved::As])?;
            let template = Box::new(RequestTemplate::new(asking, fields));
            Action::Ask { template, bind: body.bind.take() }
        }
        Form::ExpectsAnswer => {
            let pattern = body.fields(&[Reserved::As, Reserved::Within])?;
            expect(API, Expectation::Answer(Box::new(pattern)), body)
        }
        Form::ExpectsMessage => {
            let pattern = body.fields(&[Reserved::As, Reserved::Within])?;
            expect(AMQP, Expectation::Message(Box::new(pattern)), body)
        }
        Form::Settles(settlement) => {
            let fields: SettleFields = body.fields(&[])?;
            let message = fields.variable().map_err(|message| (body.mark(), message))?;
            Action::Settle { message, settlement }
        }
        Form::Elapse => {
            let time = body.scalar_or("time", |fields: ElapseFields| fields.time)?;
            let elapse = duration::elapse(&time).map_err(|message| (body.mark(), message))?;
            Action::Elapse(elapse)
        }
        Form::AnyOrder => Action::AnyOrder(any_order(body, reading, faults)?),
        Form::Either => Action::Either(either(body, reading, faults)?),
    })
}

fn expect(actor: &str, expectation: Expectation, body: &mut Body<'_>) -> Action {
    Action::Expect { actor: actor.to_owned(), expectation, within: body.within.take(), bind: body.bind.take() }
}

fn mark(location: &Location) -> Mark {
    Mark { line: location.line, column: location.column }
}

fn any_order(body: &Body<'_>, reading: &Reading<'_>, faults: &mut Vec<Fault>) -> Result<Vec<Step>, Fault> {
    let steps = read_all(body.list()?, reading, faults);
    for step in &steps {
        if !matches!(step.action, Action::Expect { expectation: Expectation::Packet(_), .. }) {
            let message = format!("`any-order` holds expected packets only, not `{}`", step.text);
            faults.push((mark(&step.location), message));
        }
    }
    Ok(steps)
}

fn either(body: &Body<'_>, reading: &Reading<'_>, faults: &mut Vec<Fault>) -> Result<Vec<Vec<Step>>, Fault> {
    let alternatives = body.list()?;
    if alternatives.len() < 2 {
        return Err((body.mark(), "`either` needs two alternatives at least, each a list of steps".to_owned()));
    }
    let mut all = Vec::new();
    for alternative in alternatives {
        let Content::Sequence(nodes) = &alternative.content else {
            let message = format!("an alternative is a list of steps, found {}", alternative.describe());
            return Err((alternative.mark, message));
        };
        let steps = read_all(nodes, reading, faults);
        for (index, step) in steps.iter().enumerate() {
            match &step.action {
                Action::Expect { expectation: Expectation::Silence, .. } if index == 0 => {
                    let message = "an alternative cannot begin with silence, which fits at first whatever comes";
                    faults.push((mark(&step.location), message.to_owned()));
                }
                Action::Expect { .. } => {}
                _ => {
                    let message = format!("`either` holds expectations only, not `{}`", step.text);
                    faults.push((mark(&step.location), message));
                }
            }
        }
        if nodes.is_empty() {
            faults.push((alternative.mark, "an alternative of `either` is empty".to_owned()));
        }
        all.push(steps);
    }
    all.retain(|steps| !steps.is_empty());
    Ok(all)
}
