//! What values there are at a path.

use super::Asking;
use crate::document::{BOOLEAN, NUMBER, STRING};
use crate::error::Result;
use crate::executor::{Group, ReadResult, Span, ValueSource, text_of};
use crate::facet::value_to_json;
use crate::index::gin::Direction;
use crate::pattern::Fuzzy;
use serde_json::Value;
use std::ops::ControlFlow;

/// Some work with the values of all documents.
pub(super) type Work<'w, T> = dyn FnMut(&mut dyn ValueSource) -> ReadResult<T> + 'w;

/// The values of one type at a path.
pub(super) struct Kind {
    /// numbers, texts or booleans
    pub name: &'static str,
    /// How many documents have such a value.
    pub documents: u64,
    pub least: Value,
    pub most: Value,
}

/// What was found of texts that are like one, each with its path.
#[derive(Default)]
pub(super) struct Look {
    /// What longer ones begin with where that is the text in other case.
    pub starts: Vec<(String, String)>,
    /// A few edits away, at each path the nearest first.
    pub similar: Vec<(String, String)>,
    /// Longer ones that hold it.
    pub holding: Vec<(String, String)>,
    /// Whether there were too many to look at all.
    pub is_cut: bool,
}

/// How many texts that hold another are kept.
const MOST: usize = 3;

const KINDS: [(u8, &str); 3] = [(NUMBER, "numbers"), (STRING, "texts"), (BOOLEAN, "booleans")];

/// Among how many values, and bytes of them, similar ones are looked for: some 10 ms. They may be
/// anywhere among the values of a path.
const MAX_VALUES: usize = 20_000;
const MAX_BYTES: usize = 1 << 20;

impl Asking<'_> {
    /// The types of the values at a path.
    pub(super) fn kinds(&self, path: &str) -> Result<Vec<Kind>> {
        self.with_values(path, &mut |source| {
            let mut kinds = Vec::new();
            for (tag, name) in KINDS {
                let least = first(source, path, Span::of_type(tag, Direction::Ascending))?;
                let most = first(source, path, Span::of_type(tag, Direction::Descending))?;
                if let (Some(least), Some(most)) = (least, most) {
                    kinds.push((tag, Kind { name, documents: 0, least, most }));
                }
            }
            let (all, is_only) = (source.matches(), kinds.len() == 1);
            for (tag, kind) in &mut kinds {
                kind.documents = match is_only {
                    true => source.having(path, &all)?.len(),
                    false => source.count_type(path, *tag, &all)?,
                };
            }
            Ok(kinds.into_iter().map(|(_, kind)| kind).collect())
        })
    }

    /// Looks among the texts at some paths for those that begin with one in other case, that are a
    /// few edits away from it, or that hold it. At each path, those that begin with the same letter
    /// come first.
    pub(super) fn look(&self, paths: &[&str], text: &str, edits: u8) -> Result<Look> {
        let fuzzy: Vec<Fuzzy> = (1..=edits).map(|edits| Fuzzy::new(text, edits)).collect();
        let Some(letter) = text.chars().next() else { return Ok(Look::default()) };
        let up = Direction::Ascending;
        let same = [letter.to_lowercase().to_string(), letter.to_uppercase().to_string()];
        let mut spans: Vec<Span> = same.iter().map(|letter| Span::prefix(letter, up)).collect();
        spans.push(Span { ends_early: true, ..Span::of_type(STRING, up) });
        let (length, lower) = (text.chars().count(), text.to_lowercase());
        let (mut values, mut bytes, mut look) = (0, 0, Look::default());
        for path in paths {
            let mut similar: Vec<(usize, String)> = Vec::new();
            self.with_values(path, &mut |source| {
                let all = source.matches();
                for span in &spans {
                    source.each_value(path, span, &all, false, &mut |group: Group<'_>| {
                        let Some(value) = text_of(group.value) else {
                            return Ok(ControlFlow::Continue(()));
                        };
                        let start: String = value.chars().take(length).collect();
                        if start.to_lowercase() == lower {
                            look.starts.push((path.to_string(), start));
                            return Ok(ControlFlow::Break(()));
                        }
                        if let Some(edits) = fuzzy.iter().position(|fuzzy| fuzzy.is_match(value)) {
                            similar.push((edits, value.to_string()));
                        } else if look.holding.len() < MOST && value.contains(text) {
                            look.holding.push((path.to_string(), value.to_string()));
                        }
                        (values, bytes) = (values + 1, bytes + value.len());
                        look.is_cut = values > MAX_VALUES || bytes > MAX_BYTES;
                        Ok(if look.is_cut {
                            ControlFlow::Break(())
                        } else {
                            ControlFlow::Continue(())
                        })
                    })?;
                    if look.is_cut || !similar.is_empty() || !look.starts.is_empty() {
                        break;
                    }
                }
                Ok(())
            })?;
            similar.sort();
            similar.dedup();
            look.similar.extend(similar.into_iter().map(|(_, value)| (path.to_string(), value)));
            if look.is_cut {
                let (values, kilobytes) = (MAX_VALUES, MAX_BYTES >> 10);
                self.cut(format!(
                    "values like {text:?} were looked for among {values} values or {kilobytes} kB"
                ));
                break;
            }
        }
        Ok(look)
    }
}

/// The first value of a span.
fn first(source: &mut dyn ValueSource, path: &str, span: Span) -> ReadResult<Option<Value>> {
    let (all, mut found) = (source.matches(), None);
    let span = Span { ends_early: true, ..span };
    source.each_value(path, &span, &all, false, &mut |group: Group<'_>| {
        found = Some(value_to_json(group.value));
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}
