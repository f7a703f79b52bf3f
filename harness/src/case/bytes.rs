//! The notation for bytes.

use super::scope::Scope;
use super::template::BuildError;

/// Bytes with variables in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BytesTemplate {}

impl BytesTemplate {
    /// The bytes.
    ///
    /// # Errors
    /// When a variable has no value.
    pub fn build(&self, scope: &Scope) -> Result<Vec<u8>, BuildError> {
        let _ = scope;
        Ok(Vec::new())
    }
}
