//! The objects at a path.

use super::path_trie::has_leaf;
use crate::document::{Container, Item};
use crate::interrupts;
use smallvec::SmallVec;

/// Whether an object at the path matches: an element of the array there, at any depth of arrays, or
/// the object itself. An object without leaves is not there. A key with a dot in it leads on along
/// the path as nesting would; where it leads further than the path, there is no object at the path.
///
/// Keeps a stack of its own, since arrays may be nested deeper than the thread's stack allows.
pub fn any_object<'a, C: Container<'a>>(
    document: C,
    path: &str,
    mut matches: impl FnMut(C) -> bool,
) -> bool {
    // Containers, each with the rest of the path from there. None stands for its end.
    let mut open: SmallVec<[(C, Option<&str>); 8]> = SmallVec::new();
    open.push((document, Some(path)));
    while let Some((container, rest)) = open.pop() {
        interrupts::spend(1);
        for element in container.elements() {
            if let Item::Container(inner) = element {
                open.push((inner, rest));
            }
        }
        let Some(rest) = rest else {
            if container.member_count() > 0 && matches(container) && has_leaf(container) {
                return true;
            }
            continue;
        };
        let mut follow = |key: &str, item: Item<'a, C>| {
            let Item::Container(inner) = item else { return };
            let Some(behind) = rest.strip_prefix(key) else { return };
            match behind.strip_prefix('.') {
                Some(further) => open.push((inner, Some(further))),
                None if behind.is_empty() => open.push((inner, None)),
                None => {}
            }
        };
        match container.has_dotted_key() {
            true => container.members().for_each(|(key, item)| follow(key, item)),
            false => {
                let key = rest.split_once('.').map_or(rest, |(key, _)| key);
                if let Some(item) = container.member(key) {
                    follow(key, item);
                }
            }
        }
    }
    false
}
