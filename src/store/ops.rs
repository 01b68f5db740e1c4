//! Reads the argument of session_update in place: `[{"upsert":[doc…],"delete":[id…]},…]`.

use super::identity;
use crate::document::{Container, Item, Jsonb};
use crate::error::{Error, Result};
use crate::interrupts;
use crate::memory;
use std::fmt::Arguments;

/// The last change of an identity. It replaces all earlier ones of the same call.
#[derive(Clone, Copy)]
pub enum Change<'a> {
    Upsert(Jsonb<'a>),
    Delete,
}

/// All changes, in the byte order of their identities. Every call locks rows in this order, so no
/// two calls can wait for each other.
pub fn read<'a>(ops: Jsonb<'a>, key: &str) -> Result<Vec<(String, Change<'a>)>> {
    if !ops.is_array() {
        return Err(wrong(
            "ops".into(),
            "must be an array of objects with \"upsert\" or \"delete\"",
        ));
    }
    let mut changes = Vec::new();
    for (number, op) in ops.elements().enumerate() {
        read_op(op, format_args!("ops[{number}]"), key, &mut changes)?;
    }
    // The sort may need as much memory again. It leaves changes of one identity in the order in which
    // they came.
    memory::afford(changes.len() * size_of::<(String, Change<'_>)>())?;
    changes.sort_by(|(a, _), (b, _)| {
        interrupts::spend(1);
        a.cmp(b)
    });
    changes.dedup_by(|(id, later), (kept, change)| {
        let is_same = id == kept;
        if is_same {
            *change = *later;
        }
        is_same
    });
    Ok(changes)
}

fn read_op<'a>(
    op: Item<'a, Jsonb<'a>>,
    place: Arguments<'_>,
    key: &str,
    changes: &mut Vec<(String, Change<'a>)>,
) -> Result<()> {
    let op = match op {
        Item::Container(op) if op.is_object() => op,
        other => {
            return Err(wrong(
                place.to_string(),
                format!("must be an object, not {}", kind(other)),
            ));
        }
    };
    if let Some((other, _)) = op.members().find(|(name, _)| !matches!(*name, "upsert" | "delete")) {
        return Err(wrong(
            format!("{place}.{other}"),
            "an op has \"upsert\", \"delete\" or both, nothing else",
        ));
    }
    let (upsert, delete) = (op.get("upsert"), op.get("delete"));
    if upsert.is_none() && delete.is_none() {
        return Err(wrong(
            place.to_string(),
            "the op is empty: it needs \"upsert\", \"delete\" or both",
        ));
    }
    for (number, doc) in elements(upsert, place, "upsert")?.enumerate() {
        interrupts(number);
        let problem = match doc {
            Item::Container(doc) if doc.is_object() => match identity::identity(doc, key) {
                Ok(id) => {
                    change(changes, id, Change::Upsert(doc))?;
                    continue;
                }
                Err(problem) => problem,
            },
            other => format!("a document must be an object, not {}", kind(other)),
        };
        return Err(wrong(format!("{place}.upsert[{number}]"), problem));
    }
    for (number, id) in elements(delete, place, "delete")?.enumerate() {
        interrupts(number);
        let id = match id {
            Item::Leaf(leaf) => identity::leaf_identity(leaf),
            other => Err(format!("{}, but a string or number is needed", kind(other))),
        };
        match id {
            Ok(id) => change(changes, id, Change::Delete)?,
            Err(problem) => return Err(wrong(format!("{place}.delete[{number}]"), problem)),
        };
    }
    Ok(())
}

fn change<'a>(
    changes: &mut Vec<(String, Change<'a>)>,
    id: String,
    change: Change<'a>,
) -> Result<()> {
    memory::reserve(changes, 1)?;
    changes.push((id, change));
    Ok(())
}

/// The elements of an op's array; nothing if the op does not have it.
fn elements<'a>(
    list: Option<Item<'a, Jsonb<'a>>>,
    place: Arguments<'_>,
    property: &str,
) -> Result<impl Iterator<Item = Item<'a, Jsonb<'a>>> + use<'a>> {
    let list = match list {
        None => None,
        Some(Item::Container(list)) if list.is_array() => Some(list),
        Some(other) => {
            let problem = format!("must be an array, not {}", kind(other));
            return Err(wrong(format!("{place}.{property}"), problem));
        }
    };
    Ok(list.into_iter().flat_map(Jsonb::elements))
}

/// What an item is, in the words of an error.
pub(super) fn kind(item: Item<'_, Jsonb<'_>>) -> &'static str {
    use crate::document::Leaf;
    match item {
        Item::Null => "null",
        Item::Leaf(Leaf::String(_)) => "a string",
        Item::Leaf(Leaf::Number(_)) => "a number",
        Item::Leaf(Leaf::Bool(_)) => "a boolean",
        Item::Container(inner) if inner.is_object() => "an object",
        Item::Container(_) => "an array",
    }
}

fn wrong(place: String, problem: impl Into<String>) -> Error {
    Error::Ops { place, problem: problem.into() }
}

/// A call may bring millions of documents, so reading them must be possible to cancel.
fn interrupts(number: usize) {
    if number.is_multiple_of(1000) {
        crate::memory::check();
    }
}
