//! How large an answer may become. Facets in facets multiply: a small request can ask for more
//! buckets than memory holds.

use super::request::{Facet, Facets};
use crate::error::{Error, Result};

/// How many bytes an answer may take: as many as PostgreSQL lets a value have.
const MAX_BYTES: usize = 1 << 30;
/// About what a bucket takes beside its value, and what a figure takes: as JSON, as its text and as
/// jsonb.
pub(super) const BUCKET: usize = 1_024;
pub(super) const FIGURE: usize = 256;

/// What is left of these bytes.
pub(super) struct Room {
    left: usize,
}

impl Room {
    pub fn new() -> Room {
        Room { left: MAX_BYTES }
    }

    /// Takes so many bytes.
    pub fn take(&mut self, bytes: usize) -> Result<()> {
        self.check(bytes)?;
        self.left -= bytes;
        Ok(())
    }

    /// Refuses what would take more than is left.
    pub fn check(&self, bytes: usize) -> Result<()> {
        if bytes <= self.left {
            return Ok(());
        }
        let problem = "the answer would take more than 1 GB: ask for fewer buckets".to_string();
        Err(Error::RequestTooLarge { problem })
    }
}

/// What the answer for some documents takes at least.
pub(super) fn least(facets: &Facets) -> usize {
    let of_facet = |(_, facet): &(String, Facet)| match facet {
        Facet::Range(range) if range.mincount == 0 => range.intervals().saturating_mul(BUCKET),
        _ => 0,
    };
    let buckets = facets.facets.iter().map(of_facet).fold(0, usize::saturating_add);
    buckets.saturating_add(facets.statistics.len() * FIGURE)
}
