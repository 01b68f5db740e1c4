//! The parser that pest makes of `grammar.pest`, the one definition of the language.

/// Reads by the rules of the grammar.
#[derive(pest_derive::Parser)]
#[grammar = "syntax/grammar.pest"]
pub(super) struct LuceneParser;
