//! Conditions of the form `column ->> 'key' = value`, as policies of row-level security have them.
//!
//! The server evaluates such a condition in a dozen function calls for each row: it copies the
//! document and the field, and finds the value of `current_user` again. If a scan only counts rows,
//! that is nearly all of its time. Here the value is evaluated once, and the field is compared where
//! it lies in the page. The index is asked for the value too, so that few rows of other tenants are
//! looked at.

use crate::document::{Item, Jsonb, Leaf};
use crate::pg::varlena::Varlena;
use crate::syntax::{self, Ast, DateMath, LeafQuery};
use pgrx::{PgList, pg_sys};
use std::ffi::CStr;

// pgrx binds this too, but puts a guard around each call, which takes time.
unsafe extern "C-unwind" {
    fn nocachegetattr(
        tuple: *mut pg_sys::HeapTupleData,
        column: std::ffi::c_int,
        columns: pg_sys::TupleDesc,
    ) -> pg_sys::Datum;
}

/// The longest value that the index is asked for. It knows only the beginning of much longer ones
/// (`MAX_VALUE` in index/key.rs), and each row would need a recheck.
const MAX_QUERY_VALUE_BYTES: usize = 200;

/// A condition `column ->> 'key' = value`, whose value is the same for all rows.
struct FieldTest {
    key: String,
    value: *mut pg_sys::ExprState,
    /// Whether the value is of type name, and not text.
    is_name: bool,
    /// The value, if it was evaluated and is not null.
    text: Option<Vec<u8>>,
}

/// Conditions that must all hold.
pub struct FieldTests {
    column: i32,
    columns: pg_sys::TupleDesc,
    tests: Vec<FieldTest>,
}

impl FieldTests {
    /// None if there are no conditions, or if one of them has another form.
    ///
    /// # Safety
    /// The conditions must be those of a plan, for rows with these columns. The node must be the
    /// plan's.
    pub unsafe fn new(
        conditions: *mut pg_sys::List,
        column: i32,
        columns: pg_sys::TupleDesc,
        node: *mut pg_sys::PlanState,
    ) -> Option<FieldTests> {
        // SAFETY: the caller passes a list of expressions, or null for an empty one.
        let conditions = unsafe { PgList::<pg_sys::Node>::from_pg(conditions) };
        // SAFETY: as the caller says.
        let test = |condition| unsafe { FieldTest::new(condition, column, node) };
        let tests = conditions.iter_ptr().map(test).collect::<Option<Vec<_>>>()?;
        (!tests.is_empty()).then_some(FieldTests { column, columns, tests })
    }

    /// Evaluates the values.
    ///
    /// # Safety
    /// The context must be that of the node that was given to `new`.
    pub unsafe fn evaluate(&mut self, context: *mut pg_sys::ExprContext) {
        for test in &mut self.tests {
            let mut is_null = false;
            // SAFETY: the expression was compiled for the caller's node and reads no row. Its type
            // is name or text, as `is_name` says. The bytes are copied before the memory of the
            // context is freed.
            unsafe {
                let datum =
                    pg_sys::ExecEvalExprSwitchContext(test.value, context, &raw mut is_null);
                test.text = (!is_null).then(|| match test.is_name {
                    true => CStr::from_ptr(datum.cast_mut_ptr()).to_bytes().to_vec(),
                    false => Varlena::new(datum).bytes().to_vec(),
                });
            }
        }
    }

    /// Queries that all rows match which satisfy the conditions. Other rows may match them too: the
    /// index does not tell a string from an array that holds it.
    pub fn queries(&self) -> impl Iterator<Item = Vec<u8>> {
        self.tests.iter().filter_map(FieldTest::query)
    }

    /// What tells these conditions from others on the same column: the keys and the values, each
    /// behind its length. None if a value is null.
    pub fn identity(&self) -> Option<Vec<u8>> {
        let mut identity = Vec::new();
        for test in &self.tests {
            for part in [test.key.as_bytes(), test.text.as_ref()?] {
                identity.extend(part.len().to_ne_bytes());
                identity.extend(part);
            }
        }
        Some(identity)
    }

    /// Whether a row satisfies the conditions. None if that cannot be told here: the document is
    /// compressed or in a TOAST table, or the field is no string.
    ///
    /// # Safety
    /// `evaluate` must have run. The tuple must be a row with the columns given to `new`, on a page
    /// that is pinned.
    pub unsafe fn check(&self, tuple: &mut pg_sys::HeapTupleData) -> Option<bool> {
        // SAFETY: a heap tuple has its header, in which a bitmap of the columns that are not null
        // follows the fixed part if there is such a column (htup_details.h). A column that the
        // tuple has and that is not null can be read, here one of type jsonb. Its strings are
        // UTF-8, which the server's encoding is (sql/bootstrap.sql).
        let document = unsafe {
            let header = &*tuple.t_data;
            let at = usize::try_from(self.column - 1).ok()?;
            if at >= (u32::from(header.t_infomask2) & pg_sys::HEAP_NATTS_MASK) as usize {
                return None;
            }
            if u32::from(header.t_infomask) & pg_sys::HEAP_HASNULL != 0 {
                let byte = *header.t_bits.as_ptr().add(at / 8);
                if byte & (1 << (at % 8)) == 0 {
                    return Some(false);
                }
            }
            let datum = nocachegetattr(tuple, self.column, self.columns);
            Jsonb::new(Varlena::new(datum).inline_bytes()?)
        };
        for test in &self.tests {
            let Some(text) = &test.text else { return Some(false) };
            // Like jsonb_object_field_text (jsonfuncs.c), which returns null if the document is no
            // object, does not have the key, or has a JSON null there.
            match document.get(&test.key) {
                None | Some(Item::Null) => return Some(false),
                Some(Item::Leaf(Leaf::String(field))) if field.as_bytes() == text.as_slice() => {}
                Some(Item::Leaf(Leaf::String(_))) => return Some(false),
                Some(Item::Leaf(_) | Item::Container(_)) => return None,
            }
        }
        Some(true)
    }
}

impl FieldTest {
    /// # Safety
    /// The condition must be an expression of the node's plan.
    unsafe fn new(
        condition: *mut pg_sys::Node,
        column: i32,
        node: *mut pg_sys::PlanState,
    ) -> Option<FieldTest> {
        // SAFETY: the condition is an expression, and each node says what it is.
        unsafe {
            let [left, right] = operands(condition, |function| {
                matches!(function, pg_sys::F_TEXTEQ | pg_sys::F_TEXTEQNAME | pg_sys::F_NAMEEQTEXT)
            })?;
            // These functions compare bytes if the collation is deterministic (varlena.c, texteq).
            let collation = (*condition.cast::<pg_sys::OpExpr>()).inputcollid;
            if collation == pg_sys::InvalidOid || !pg_sys::get_collation_isdeterministic(collation)
            {
                return None;
            }
            let (key, value) = match (key_of(left, column), key_of(right, column)) {
                (Some(key), None) => (key, right),
                (None, Some(key)) => (key, left),
                _ => return None,
            };
            let is_constant = !pg_sys::contain_var_clause(value)
                && !pg_sys::contain_subplans(value)
                && !pg_sys::contain_volatile_functions(value);
            is_constant.then(|| FieldTest {
                key,
                value: pg_sys::ExecInitExpr(value.cast(), node),
                is_name: pg_sys::exprType(value) == pg_sys::NAMEOID,
                text: None,
            })
        }
    }

    /// A query for the same value at the same path. None if that could miss a row: an object or an
    /// array is equal to its JSON text here, and a date in a query is not only a text.
    fn query(&self) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(self.text.as_ref()?).ok()?;
        if text.len() > MAX_QUERY_VALUE_BYTES
            || text.starts_with(['{', '['])
            || DateMath::parse(text).is_some()
        {
            return None;
        }
        let query = LeafQuery::Equal(text.to_string());
        let ast = Ast::Condition { path: Some(self.key.clone()), query };
        let query = ast.to_string();
        // Some keys and texts have a meaning of their own in a query.
        (syntax::parse(&query).ok()? == ast).then(|| query.into_bytes())
    }
}

/// The key of an expression `column ->> 'key'`.
///
/// # Safety
/// The node must be an expression of a plan.
unsafe fn key_of(node: *mut pg_sys::Node, column: i32) -> Option<String> {
    // SAFETY: each node says what it is. A constant that is not null holds a value of its type, and
    // the second argument of the function is a text.
    unsafe {
        let [document, key] =
            operands(node, |function| function == pg_sys::F_JSONB_OBJECT_FIELD_TEXT)?;
        if !pgrx::is_a(document, pg_sys::NodeTag::T_Var)
            || i32::from((*document.cast::<pg_sys::Var>()).varattno) != column
            || !pgrx::is_a(key, pg_sys::NodeTag::T_Const)
        {
            return None;
        }
        let key = &*key.cast::<pg_sys::Const>();
        let bytes = (!key.constisnull).then(|| Varlena::new(key.constvalue).bytes())?;
        String::from_utf8(bytes.to_vec()).ok()
    }
}

/// The operands of an expression with a binary operator of such a function.
///
/// # Safety
/// The node must be an expression of a plan.
unsafe fn operands(
    node: *mut pg_sys::Node,
    is_wanted: impl Fn(u32) -> bool,
) -> Option<[*mut pg_sys::Node; 2]> {
    // SAFETY: the node says whether it is an operator's expression, whose arguments are a list.
    unsafe {
        if !pgrx::is_a(node, pg_sys::NodeTag::T_OpExpr) {
            return None;
        }
        let operation = &*node.cast::<pg_sys::OpExpr>();
        if !is_wanted(pg_sys::get_opcode(operation.opno).to_u32()) {
            return None;
        }
        let arguments = PgList::<pg_sys::Node>::from_pg(operation.args);
        Some([arguments.get_ptr(0)?, arguments.get_ptr(1)?])
    }
}
