//! NOTICEs that say how far a load, an update or a change of key is.

use super::name::Name;
use crate::error;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

static NOTICE_EVERY: GucSetting<i32> = GucSetting::<i32>::new(100_000);

/// Makes the setting known to the server.
pub fn define_settings() {
    GucRegistry::define_int_guc(
        c"session_store.progress_notice",
        c"Sets after how many documents a load, an update or a change of key says how far it is.",
        c"0 says nothing. pg_stat_progress_copy shows the lines and bytes that COPY has read.",
        &NOTICE_EVERY,
        0,
        i32::MAX,
        GucContext::Userset,
        GucFlags::default(),
    );
}

/// How many documents were done so far.
#[derive(Default)]
pub struct Progress {
    documents: u64,
}

impl Progress {
    /// Counts documents of a store. If that makes another `session_store.progress_notice` of them,
    /// a NOTICE says how many were, for example, loaded.
    pub fn add(&mut self, documents: u64, store: &Name, done: &str) {
        let before = self.documents;
        self.documents += documents;
        let every = u64::try_from(NOTICE_EVERY.get()).unwrap_or(0);
        if every > 0 && self.documents / every > before / every {
            let name = store.as_str();
            error::notice(&format!("{} documents of store \"{name}\" {done}", self.documents));
        }
    }
}
