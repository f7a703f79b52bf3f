//! What many judges have in common until one of them changes it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A value that is copied when it is changed, not when it is cloned.
///
/// Who looks for what a server may do next clones the judge for each thing that it might ([`permitted`](crate::permitted)),
/// and each of these changes little. Where nothing was cloned, nothing is copied either.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct CopiedLate<T>(Arc<T>);

impl<T> CopiedLate<T> {
    pub(super) fn new(value: T) -> CopiedLate<T> {
        CopiedLate(Arc::new(value))
    }
}

impl<T> Deref for CopiedLate<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for CopiedLate<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}
