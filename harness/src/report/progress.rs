//! A bar on stderr while variants are played; silent where nobody looks.

use crate::run::{Class, Outcome};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;

/// The progress of a run.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    failed: usize,
}

impl Progress {
    /// A bar for so many variants, shown only on a terminal.
    #[must_use]
    pub fn new(variants: usize) -> Progress {
        let is_seen = std::io::stderr().is_terminal();
        let target = if is_seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(variants as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        Progress { bar, failed: 0 }
    }

    /// Takes note of a variant.
    pub fn decided(&mut self, outcome: &Outcome) {
        let class = outcome.verdict.kind().class();
        if class == Class::Skipped {
            return;
        }
        if class == Class::Failed {
            self.failed += 1;
            self.bar.set_message(format!("{} failed", self.failed));
        }
        self.bar.inc(1);
    }

    /// Removes the bar: results follow.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
