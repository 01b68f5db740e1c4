//! The parser that pest generates from `grammar.pest`, the one definition of the language, and its
//! rules (`Rule`).

/// Parses a text by a rule of the grammar.
#[derive(pest_derive::Parser)]
#[grammar = "syntax/grammar.pest"]
pub(super) struct LuceneParser;
