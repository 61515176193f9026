use crate::text::sentences;

sentences! {
    /// What a later entry of a ledger says about an object, so that an earlier examination is not appended any more.
    pub enum Superseding {
        /// A later listing lacked the object.
        Gone { at: String } => "the object was gone at {at}",
        /// A later examination saw another state.
        OtherState { at: String } => "the object was in another state at {at}",
    }
}
