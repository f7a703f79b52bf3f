//! Which rows of the platform's fact sheet a dialect is held to.

use super::named::named;

named! {
    /// A part of the fact sheet. What vendor clients do (`D-` rows) binds no server, so it is none.
    Rows, "part of the fact sheet" {
        /// `P-` rows: what the seed document and the vendor's pages of its time say.
        Seed = "P",
        /// `N-` rows: what newer pages add.
        Newer = "N",
        /// `X-` rows: where nothing public decides.
        Open = "X",
    }
}

impl Rows {
    /// Whether the row is of this part.
    #[must_use]
    pub fn include(self, row: &str) -> bool {
        row.strip_prefix(self.name()).is_some_and(|rest| rest.starts_with('-'))
    }
}
