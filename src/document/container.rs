//! Objects and arrays, whatever they are read from.

use super::leaf::Leaf;

/// A JSON object or array that can be gone through: of PostgreSQL's binary jsonb, or of `serde_json` in tests.
pub trait Container<'a>: Copy {
    /// The elements of an array, in their order.
    type Elements: Iterator<Item = Item<'a, Self>>;
    /// The members of an object, in the order in which they are stored.
    type Members: Iterator<Item = (&'a str, Item<'a, Self>)>;

    /// The values of an array, in order; none of an object. A lone scalar is an array of one.
    fn elements(self) -> Self::Elements;

    /// The members of an object; none of an array.
    fn members(self) -> Self::Members;

    /// How many members there are.
    fn member_count(self) -> usize;

    /// The member of an object with this key.
    fn member(self, key: &str) -> Option<Item<'a, Self>>;

    /// Whether a key of an object holds a dot.
    fn has_dotted_key(self) -> bool;
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
