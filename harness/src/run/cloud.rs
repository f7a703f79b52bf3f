//! What the actor `api` does: asks, and is answered whenever the platform likes.

use super::expect::seconds;
use super::player::{Halt, Player};
use crate::case::{API, AnswerPattern, Mismatch, RequestTemplate, Step, Window};
use crate::cloud::{Business, Signer};
use crate::trace::{ConnectionId, What};
use model::cloud::Answer;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// The requests of a variant.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) business: Business,
    pub(super) signer: Signer,
    exchanges: Vec<Exchange>,
}

/// A request and what came of it.
#[derive(Debug)]
struct Exchange {
    connection: ConnectionId,
    action: &'static str,
    /// What the script calls it.
    name: Option<String>,
    /// When the answer must be there.
    deadline: Instant,
    answer: Arc<Mutex<Option<Answered>>>,
    /// The script has looked at the answer.
    is_taken: bool,
    task: JoinHandle<()>,
}

/// An answer with its time.
#[derive(Debug, Clone)]
struct Answered {
    at: Instant,
    answer: Result<Answer, String>,
}

impl Asked {
    pub(super) fn new(business: Business, signer: Signer) -> Asked {
        Asked { business, signer, exchanges: Vec::new() }
    }

    /// What the topics of this variant hold, where others publish too.
    pub(super) fn own_topics(&self) -> Option<String> {
        matches!(self.business, Business::Network(_)).then(|| self.signer.unique().to_owned())
    }

    /// The connections of requests that wait for their answers.
    pub(super) fn open(&self) -> impl Iterator<Item = ConnectionId> {
        let open = self.exchanges.iter().filter(|exchange| lock(&exchange.answer).is_none());
        open.map(|exchange| exchange.connection)
    }

    /// The request that an answer is expected to: the one of this name, or the oldest that has not been looked at.
    fn expected(&mut self, name: Option<&str>) -> Option<&mut Exchange> {
        self.exchanges.iter_mut().find(|exchange| match name {
            Some(name) => exchange.name.as_deref() == Some(name),
            None => !exchange.is_taken,
        })
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Player<'_> {
    /// Asks; the answer is waited for elsewhere.
    pub(super) fn ask(&mut self, step: &Step, template: &RequestTemplate, bind: Option<&str>) -> Result<(), Halt> {
        let prepared = template.build(&self.scope).map_err(|error| self.error(step, &error))?;
        if let Some(name) = bind {
            self.scope.bind_request(name);
        }
        let connection = self.next_connection();
        let signed = self.asked.signer.sign(&prepared);
        let deadline = Instant::now() + self.timeout + prepared.call_time();
        self.recorder().record(connection, What::Opened(API.to_owned()));
        let request = prepared.request;
        self.recorder()
            .record(connection, What::Asked { request: Box::new(request.clone()), in_order: signed.in_order });
        let answer = Arc::new(Mutex::new(None));
        let asking = self.asked.business.ask(&request, signed, deadline.saturating_duration_since(Instant::now()));
        let (recorder, changed, place) = (self.recorder().clone(), self.changed(), Arc::clone(&answer));
        let task = tokio::spawn(async move {
            let answer = asking.await;
            if let Ok(answer) = &answer {
                recorder.record(connection, What::Answered(Box::new(answer.clone())));
            }
            *lock(&place) = Some(Answered { at: Instant::now(), answer });
            changed.notify_waiters();
        });
        let (action, name) = (template.action(), bind.map(str::to_owned));
        self.asked.exchanges.push(Exchange { connection, action, name, deadline, answer, is_taken: false, task });
        Ok(())
    }

    pub(super) async fn expect_answer(
        &mut self,
        step: &Step,
        pattern: &AnswerPattern,
        within: Option<Window>,
        bind: Option<&str>,
    ) -> Result<(), Halt> {
        let name = pattern.to().map_err(|error| self.error(step, &error))?;
        let Some(exchange) = self.asked.expected(name) else {
            return Err(Halt::Error(format!("{}: nothing waits for an answer", step.location)));
        };
        exchange.is_taken = true;
        let (connection, action, place) = (exchange.connection, exchange.action, Arc::clone(&exchange.answer));
        let deadline = match within {
            Some(_) => self.deadline(within),
            None => exchange.deadline,
        };
        let answered = self.wait(deadline, |_| lock(&place).clone()).await;
        let finding = |player: &Player<'_>, what: &str, expected: &str, seen: &str| match player
            .finding(step, None, what, expected, seen)
        {
            Halt::Finding(mut finding) => {
                finding.connection = Some(connection);
                Halt::Finding(finding)
            }
            other => other,
        };
        let Some(Answered { at, answer }) = answered else {
            let seen = format!("none within {} s", seconds(deadline.saturating_duration_since(self.mark())));
            return Err(finding(self, &format!("{action} is not answered"), &step.text, &seen));
        };
        let answer = answer.map_err(|why| match self.asked.business {
            // Who names no API, or a wrong one, has not failed the case.
            Business::Nowhere => Halt::Inconclusive(why),
            _ => Halt::Error(format!("{}: {why}", step.location)),
        })?;
        let mismatches = pattern.compare(&answer, &self.scope);
        if !mismatches.is_empty() {
            let (fields, expected, seen) = mismatch_texts(&mismatches);
            let what = format!("the answer to {action} is not as expected: {fields}");
            return Err(finding(self, &what, &expected, &format!("{seen}, in {answer}")));
        }
        if let Some(name) = bind {
            self.scope.bind_answer(name, &answer);
        }
        self.check_window(step, API, at, within, &answer.to_string())
    }

    /// Waits for the answers that are still under way.
    pub(super) async fn await_answers(&mut self) {
        let last = self.asked.exchanges.iter().map(|exchange| exchange.deadline).max();
        if let Some(last) = last {
            self.wait(last, |player| player.asked.open().next().is_none().then_some(())).await;
        }
    }
}

/// Fields, what was expected of them, and what came.
pub(super) fn mismatch_texts(mismatches: &[Mismatch]) -> (String, String, String) {
    let list = |text: fn(&Mismatch) -> String| mismatches.iter().map(text).collect::<Vec<_>>().join(", ");
    let fields = list(|mismatch| mismatch.field.clone());
    let expected = list(|mismatch| format!("{} {}", mismatch.field, mismatch.expected));
    let seen = list(|mismatch| format!("{} {}", mismatch.field, mismatch.seen));
    (fields, expected, seen)
}

fn lock(answer: &Mutex<Option<Answered>>) -> MutexGuard<'_, Option<Answered>> {
    // It is set once, as a whole.
    answer.lock().unwrap_or_else(PoisonError::into_inner)
}
