//! Which obligations the cases cover: cited, exercised, guarded.
//!
//! ```text
//! plans --gather--> Evidence: who cites what, and what occasions the traces show
//!                                                        + Guards (the fault matrix)
//! catalogue --> Obligation ------------------------------> Ledger --> table, JSON, a file in the repository
//! ```
//!
//! The unit is an [`Obligation`]: a statement at the side under test at which a breach can be seen. Three words, never
//! mixed:
//!
//! A row of the platform that no case can show is none; it is listed with the reason ([`excused`]).
//!
//! - **cited**: a case that was played names it.
//! - **exercised**: something that stands for it was put to the test in a variant that passed. Either an expectation did (the
//!   variant cites it), or a rule of the judge did: the trace shows an [`Occasion`] on which a server could have broken the
//!   statement, and the judge, who holds a rule on it, found nothing wrong. Occasions are few and narrow on purpose; one that
//!   is not listed does not count.
//! - **guarded**: a fault that breaks it is caught by a variant that cites it ([`Guards`]).
//!
//! Exercised says that somebody looked, guarded that they can see.

mod evidence;
mod guards;
mod ledger;
mod obligation;
mod occasion;
mod occasions_seen;
mod report;
mod unshown;

pub use evidence::{Evidence, gather};
pub use guards::Guards;
pub use ledger::{Count, Entry, Exercised, Ledger};
pub use obligation::{Document, Excused, Obligation, SideUnderTest, excused, obligations};
pub use occasion::Occasion;
pub use occasions_seen::Seen;
pub use report::{json, table};
