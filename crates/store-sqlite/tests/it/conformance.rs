//! The suite of every backend, and random scripts whose answers must be those of memory.

use std::sync::Arc;

use keystead_store::{
    MemoryBackend,
    conformance::{Step, compare, run},
};
use proptest::{collection::vec, prelude::*};

use crate::{Folder, wait};

#[test]
fn sqlite_conforms() {
    wait(run(async || Folder::new(), async |folder| Arc::new(folder.open()) as _));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sqlite_answers_any_script_like_memory(script in vec(any::<Step>(), 0..40)) {
        let folder = Folder::new();
        wait(compare(&folder.open(), &MemoryBackend::new(), &script));
    }
}
