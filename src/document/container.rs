//! Objects and arrays, independent of the format from which they are read.

use super::leaf::Leaf;

/// A JSON object or array: one of PostgreSQL's binary jsonb or, in tests, one of `serde_json`.
pub trait Container<'a>: Copy {
    /// The elements of an array, in their order.
    type Elements: Iterator<Item = Item<'a, Self>>;
    /// The members of an object, in the order in which they are stored.
    type Members: Iterator<Item = (&'a str, Item<'a, Self>)>;

    /// The values of an array in their order. An object has none. A document that is a scalar
    /// counts as an array of one value.
    fn elements(self) -> Self::Elements;

    /// The members of an object. An array has none.
    fn members(self) -> Self::Members;

    /// How many members there are.
    fn member_count(self) -> usize;

    /// The member of an object with this key.
    fn member(self, key: &str) -> Option<Item<'a, Self>>;

    /// Whether any key of an object has a dot in it.
    fn has_dotted_key(self) -> bool;

    /// Whether `visit` accepts a member of an object on the way along a path: one whose key is the
    /// path, or the path up to one of its dots. It gets what stands behind that dot; none at the end
    /// of the path.
    fn any_on_path<'p>(
        self,
        path: &'p str,
        mut visit: impl FnMut(Option<&'p str>, Item<'a, Self>) -> bool,
    ) -> bool {
        self.members().any(|(key, item)| match path.strip_prefix(key) {
            Some("") => visit(None, item),
            Some(behind) => {
                behind.strip_prefix('.').is_some_and(|behind| visit(Some(behind), item))
            }
            None => false,
        })
    }
}

/// One value of an object or array.
#[derive(Clone, Copy)]
pub enum Item<'a, C> {
    /// A JSON null.
    Null,
    /// A string, number or boolean.
    Leaf(Leaf<'a>),
    /// An array or object.
    Container(C),
}
