//! Much of the same kind of work on several processors.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Does `each` piece of work, at most `jobs` at a time, and hands over what comes of it in the order in which it is done. A
/// panic in `each` is one of the caller, when all else is done.
pub fn side_by_side<W: Sync, R: Send>(
    work: &[W],
    jobs: NonZeroUsize,
    each: impl Fn(&W) -> R + Sync,
    mut done: impl FnMut(R),
) {
    let workers = jobs.get().min(work.len());
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, each, next) = (sender.clone(), &each, &next);
            scope.spawn(move || {
                while let Some(piece) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if sender.send(each(piece)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        results.into_iter().for_each(&mut done);
    });
}

/// The same, with what comes of it in the order of the work.
pub fn in_order<W: Sync, R: Send>(work: &[W], jobs: NonZeroUsize, each: impl Fn(&W) -> R + Sync) -> Vec<R> {
    let numbered: Vec<(usize, &W)> = work.iter().enumerate().collect();
    let mut results = BTreeMap::new();
    let one = |(number, piece): &(usize, &W)| (*number, each(piece));
    side_by_side(&numbered, jobs, one, |(number, result)| drop(results.insert(number, result)));
    results.into_values().collect()
}
