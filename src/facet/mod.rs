//! Facets and statistics: how many of the matches of a query have which values. Requests and
//! answers are those of Solr's JSON Facet API (org.apache.solr.search.facet of Solr 8.11).
//!
//! ```text
//! request       what a request asks for; reader: from its JSON; options: those of one facet
//! statistic     `sum(a.b)`
//! sum           exact sums of decimals
//! distribution  the statistics of some documents, from the values in their order
//! top           the first values in an order
//! terms         the buckets of a facet by value; range: those of a facet by intervals
//! batches       values, with each of which something is done that reads others
//! histogram     documents by intervals that follow each other
//! answer        a request over some documents, as JSON; room: how large that may become
//! documents     the values of documents that were read one by one; intervals: their buckets
//! asked         what is asked of them all, also of other servers
//! gather        what a server knows of it; gathered: how that adds up; merged: its values
//! ```

mod answer;
mod asked;
mod batches;
mod distribution;
mod documents;
mod gather;
mod gathered;
mod histogram;
mod intervals;
mod json;
mod merged;
mod options;
mod range;
mod reader;
mod request;
mod room;
mod statistic;
mod sum;
mod terms;
mod top;

pub use answer::{answer, summary};
pub use asked::{Asked, buckets, request_summary, request_values};
pub use documents::{DocumentValues, Needs};
pub use gather::gather;
pub use gathered::Gathered;
pub use histogram::{MAX_BUCKETS, number_edges, number_extremes, too_many};
pub use json::value_to_json;
pub use merged::MergedValues;
pub use request::Facets;
pub use statistic::Statistic;
pub use terms::{Order, OrderBy, ValueCount, values};
