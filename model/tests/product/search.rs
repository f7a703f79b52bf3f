//! Every state of a world together with the judge that has seen its trace.

use crate::decisions::Decisions;
use crate::simulated::world::{Event, Move, World};
use model::judge::{Judge, Judgement, Timing};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

/// More states than this, and a world is too large to be looked through.
const BOUND: usize = 20_000_000;

/// How large the product of a world and the judge is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    /// Different states of world and judge.
    pub(crate) states: usize,
    /// Steps between them.
    pub(crate) steps: usize,
    /// States in which nothing is owed any more: there the judge has given its verdict.
    pub(crate) rests: usize,
    /// Steps of the longest way.
    pub(crate) longest: usize,
}

/// The judge speaks of a violation, or gives no verdict.
#[derive(Debug)]
pub(crate) struct Alarm {
    /// The rule; none without a verdict.
    pub(crate) rule: Option<&'static str>,
    /// The way there and what the judge says.
    pub(crate) told: String,
}

/// One state of the product, and how it was reached.
struct Product {
    world: World,
    judge: Rc<Judge>,
    /// Of the judge alone: most steps are inside the world and show it nothing.
    judge_fingerprint: u64,
    way: Option<Rc<Step>>,
}

/// The last step of a way.
struct Step {
    number: usize,
    taken: Move,
    events: Vec<Event>,
    before: Option<Rc<Step>>,
}

/// Looks through all states, depth first: the stack stays as short as the ways are, whatever the number of states.
///
/// States that were reached before are known by a fingerprint of 64 bits of everything in the world and the judge that
/// has a bearing on what comes. Time stands still, so no two states differ by times alone. Two that share a fingerprint by
/// chance would hide one of them; among a million states that happens once in some ten million runs.
pub(crate) fn explore(mut world: World) -> Result<Figures, Alarm> {
    let mut judge = Judge::new(world.terms.profile, Timing::virtual_time());
    let events = std::mem::take(&mut world.trace);
    events.iter().for_each(|event| event.tell(&mut judge));
    let judge_fingerprint = fingerprint(&judge);
    let first = Product { world, judge: Rc::new(judge), judge_fingerprint, way: None };
    let mut known = HashSet::from([first.fingerprint()]);
    let mut figures = Figures { states: 1, ..Figures::default() };
    let mut stack = vec![first];
    while let Some(state) = stack.pop() {
        for step in moves(&state.world) {
            let mut decisions = Decisions::default();
            loop {
                let next = state.after(&step, &mut decisions);
                figures.steps += 1;
                if known.insert(next.fingerprint()) {
                    figures.states += 1;
                    figures.longest = figures.longest.max(next.way.as_ref().map_or(0, |way| way.number));
                    figures.rests += usize::from(next.check()?);
                    stack.push(next);
                }
                if !decisions.next_way() {
                    break;
                }
            }
        }
        assert!(figures.states < BOUND, "the world is too large: {figures:?}");
    }
    Ok(figures)
}

/// All that may happen next.
fn moves(world: &World) -> Vec<Move> {
    let clients = || 0..world.clients.len();
    let deeds = clients().flat_map(|client| world.deeds(client).into_iter().map(move |deed| Move::Do(client, deed)));
    let offers = clients().flat_map(|client| world.offers(client));
    let wills = world.server.wills(world.now).into_iter().map(Move::Will);
    deeds
        .chain(world.readable().into_iter().map(Move::Take))
        .chain(world.visible().into_iter().map(Move::See))
        .chain(offers)
        .chain(wills)
        .chain(clients().map(Move::Drop))
        .collect()
}

/// Whether nothing is under way, and the server owes nothing.
fn is_at_rest(world: &World) -> bool {
    let owes_nothing = || world.server.sessions.iter().all(|session| session.owed(&world.context()).is_none());
    world.readable().is_empty()
        && world.visible().is_empty()
        && world.server.wills(world.now).is_empty()
        && owes_nothing()
}

fn fingerprint(judge: &Judge) -> u64 {
    let mut hasher = DefaultHasher::new();
    judge.fingerprint(&mut hasher);
    hasher.finish()
}

impl Product {
    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.world.hash(&mut hasher);
        self.judge_fingerprint.hash(&mut hasher);
        hasher.finish()
    }

    fn after(&self, step: &Move, decisions: &mut Decisions) -> Product {
        let mut world = self.world.clone();
        world.step(step, decisions);
        let events = std::mem::take(&mut world.trace);
        let (mut judge, mut judge_fingerprint) = (Rc::clone(&self.judge), self.judge_fingerprint);
        if !events.is_empty() {
            let mut told = Judge::clone(&judge);
            events.iter().for_each(|event| event.tell(&mut told));
            judge_fingerprint = fingerprint(&told);
            judge = Rc::new(told);
        }
        let number = self.way.as_ref().map_or(0, |way| way.number) + 1;
        let way = Some(Rc::new(Step { number, taken: step.clone(), events, before: self.way.clone() }));
        Product { world, judge, judge_fingerprint, way }
    }

    /// Whether all is at rest; an alarm if the judge has seen or misses something.
    fn check(&self) -> Result<bool, Alarm> {
        if let Some(violation) = self.judge.violations().first() {
            return Err(self.alarm(Some(violation.rule), &format!("{violation:#?}")));
        }
        if !is_at_rest(&self.world) {
            return Ok(false);
        }
        match Judge::clone(&self.judge).finish(self.world.now) {
            Judgement::Conforms => Ok(true),
            Judgement::Violates(violations) => {
                Err(self.alarm(Some(violations[0].rule), &format!("at rest: {:#?}", violations[0])))
            }
            Judgement::Inconclusive(why) => Err(self.alarm(None, &why)),
        }
    }

    fn alarm(&self, rule: Option<&'static str>, what: &str) -> Alarm {
        let mut lines = Vec::new();
        let mut way = self.way.as_deref();
        while let Some(Step { number, taken, events, before }) = way {
            lines.extend(events.iter().rev().map(|event| format!("       {}", self.world.describe(event))));
            lines.push(format!("{number:>4}  {taken:?}"));
            way = before.as_deref();
        }
        lines.reverse();
        lines.push(what.to_owned());
        Alarm { rule, told: lines.join("\n") }
    }
}
