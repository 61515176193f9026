//! The responses of a server must not determine the memory use.

use std::sync::Arc;

use stored_ami::commands::discover;
use stored_ami::facts::AttributeFacts;
use stored_ami::source::memory::{MemoryObject, MemorySource};
use stored_ami::source::{Context, Session};

#[test]
fn a_part_count_that_s3_cannot_have_makes_no_layout() {
    // Candidates with twice the valid count would still fit into the memory of a test; four billion parts would not.
    for parts in [10_001, 20_000] {
        let mut object = MemoryObject::plain("s3://b/ami-1a2b3c4d.bin".parse().unwrap(), "x");
        object.facts.size = 50_000_000_000_000;
        object.attributes = Ok(AttributeFacts { parts_count: Some(parts), ..AttributeFacts::default() });
        let context = Context::default();
        let session = Session::new(Arc::new(MemorySource::new(object)), context);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(discover(&session)).unwrap();
        assert_eq!(found.layout.candidates, Vec::new(), "{parts}");
        assert!(found.layout.why_none.is_some_and(|why| why.contains("10000 at the most")));
    }
}
