//! What nodes leave behind is searched: for plaintext, and for the ciphertext of what was deleted.

use assay_model::id::NodeId;

use super::Stage;
use crate::venue::{Inspection, Trouble, Venue};

impl<V: Venue> Stage<'_, V> {
    pub(super) fn search(&mut self, _tables: &[(NodeId, Inspection)]) -> Result<(), Trouble> {
        Ok(())
    }
}
