//! All leaves of a document with their paths, and the leaves of one path.

use super::container::{Container, Item};
use super::jsonb::Jsonb;
use super::leaf::{Leaf, Scratch};

/// The items of a container that are left to visit.
enum Items<'a, C: Container<'a>> {
    Members(C::Members),
    Elements(C::Elements),
}

/// A container on the way to the current leaf.
struct Frame<'a, C: Container<'a>> {
    items: Items<'a, C>,
    /// The length of the container's path. None if there was no key on the way to it, which is not
    /// the same as an empty key.
    path: Option<usize>,
}

/// Calls `leaf` with every leaf and its path, in the order of the document. Keeps a stack of its
/// own, since documents may be nested deeper than the thread's stack allows.
pub fn walk<'a, C: Container<'a>>(root: C, leaf: &mut impl FnMut(&str, Leaf<'a>)) {
    let mut path = String::new();
    let mut open: Vec<Frame<'a, C>> = Vec::with_capacity(8);
    let enter = |open: &mut Vec<Frame<'a, C>>, container: C, path| {
        open.push(Frame { items: Items::Members(container.members()), path });
        open.push(Frame { items: Items::Elements(container.elements()), path });
    };
    enter(&mut open, root, None);
    while let Some(top) = open.last_mut() {
        path.truncate(top.path.unwrap_or(0));
        let (found, at) = match &mut top.items {
            Items::Elements(elements) => (elements.next(), top.path),
            Items::Members(members) => match members.next() {
                Some((key, item)) => {
                    if top.path.is_some() {
                        path.push('.');
                    }
                    path.push_str(key);
                    (Some(item), Some(path.len()))
                }
                None => (None, None),
            },
        };
        match found {
            None => drop(open.pop()),
            Some(Item::Null) => {}
            Some(Item::Leaf(found)) => leaf(&path, found),
            Some(Item::Container(inner)) => enter(&mut open, inner, at),
        }
    }
}

impl<'a> Jsonb<'a> {
    /// Calls `leaf` with every leaf at exactly this path. Only what lies on the path is visited.
    pub fn leaves_at(self, path: &str, leaf: &mut dyn FnMut(Leaf<'a>)) {
        // Items, each with the rest of the path from there. None stands for the end of the path,
        // from where only arrays are followed.
        let mut open: Vec<(Item<'a, Self>, Option<&str>)> =
            vec![(Item::Container(self), Some(path))];
        while let Some((item, rest)) = open.pop() {
            match (item, rest) {
                (Item::Null, _) => {}
                (Item::Leaf(found), None) => leaf(found),
                (Item::Leaf(_), Some(_)) => {}
                (Item::Container(inner), _) => {
                    open.extend(inner.elements().map(|element| (element, rest)));
                    let Some(rest) = rest else { continue };
                    open.extend(inner.members().filter_map(|(key, member)| {
                        let behind = rest.strip_prefix(key)?;
                        match behind.strip_prefix('.') {
                            Some(further) => Some((member, Some(further))),
                            None if behind.is_empty() => Some((member, None)),
                            None => None,
                        }
                    }));
                }
            }
        }
    }
}

/// The bytes of the smallest or the largest value at a path, in the order of `sort`.
pub fn extreme(
    doc: Jsonb<'_>,
    path: &str,
    largest: bool,
    scratch: &mut Scratch,
) -> Option<Vec<u8>> {
    let mut extreme: Option<Vec<u8>> = None;
    doc.leaves_at(path, &mut |leaf| {
        let Some(value) = leaf.scalar(scratch).map(|value| value.to_bytes()) else { return };
        let is_better =
            extreme.as_ref().is_none_or(|best| if largest { value > *best } else { value < *best });
        if is_better {
            extreme = Some(value);
        }
    });
    extreme
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_transparent_and_dots_join() {
        let doc: serde_json::Value = serde_json::from_str(
            r#"{"a":[{"b":1},[[{"b":"x"}]],null,{}],"c.d":true,"c":{"d":2.50},"":{"":0}}"#,
        )
        .unwrap();
        let mut leaves = Vec::new();
        let mut scratch = Scratch::new();
        walk(&doc, &mut |path, leaf| {
            leaves.push((path.to_string(), leaf.scalar(&mut scratch).unwrap().to_bytes()));
        });
        leaves.sort();
        let leaf = |path: &str, leaf: Leaf<'_>| {
            (path.to_string(), leaf.scalar(&mut Scratch::new()).unwrap().to_bytes())
        };
        let number = |text| Leaf::Number(crate::document::Number::Text(text));
        let mut expected = vec![
            leaf("a.b", number("1")),
            leaf("a.b", Leaf::String("x")),
            leaf("c.d", Leaf::Bool(true)),
            leaf("c.d", number("2.5")),
            leaf(".", number("0")),
        ];
        expected.sort();
        assert_eq!(leaves, expected);
    }
}
