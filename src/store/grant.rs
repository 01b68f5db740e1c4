//! Rights on a store, as MinusOneDB's API names them, granted and revoked as privileges of
//! PostgreSQL. Whoever calls needs what GRANT and REVOKE ask for, which raise their own errors.

use super::catalog::Store;
use super::distributed;
use super::name::Name;
use crate::error::{self, Error, Result};
use crate::index::is_distributed;
use crate::pg::guc::{ONLY_ERRORS, with_gucs};
use crate::pg::spi::{Mode, Spi};
use pgrx::PgSqlErrorCode as Code;

/// What a role may do with a store.
#[derive(Clone, Copy, PartialEq)]
enum Right {
    Query,
    Update,
    Get,
    Admin,
}

/// Privileges on one object.
struct Privileges {
    /// TABLE or SCHEMA.
    kind: &'static str,
    object: String,
    list: &'static [&'static str],
}

/// Whom GRANT and REVOKE are about.
struct Role {
    /// As `has_table_privilege` wants it. There, `public` stands for PUBLIC, and no role can have
    /// this name.
    name: String,
    is_public: bool,
}

const ROLE: &str = "
    SELECT FROM pg_catalog.pg_roles WHERE rolname::pg_catalog.text OPERATOR(pg_catalog.=) $1";

/// The owner of a table, and whether he can become a superuser, as a superuser always can.
const OWNER: &str = "
    SELECT owner.rolname::pg_catalog.text, EXISTS (
        SELECT FROM pg_catalog.pg_roles AS super
        WHERE super.rolsuper AND pg_catalog.pg_has_role(owner.oid, super.oid, 'MEMBER'))
    FROM pg_catalog.pg_class AS relation
    JOIN pg_catalog.pg_roles AS owner ON owner.oid OPERATOR(pg_catalog.=) relation.relowner
    WHERE relation.oid OPERATOR(pg_catalog.=) $1";

/// Whether a role has the owner's rights on any store.
const IS_ADMIN: &str = "
    SELECT FROM session_store.store AS store
    JOIN pg_catalog.pg_class AS relation ON relation.relname::pg_catalog.text OPERATOR(pg_catalog.=) store.name
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid OPERATOR(pg_catalog.=) relation.relnamespace
    WHERE namespace.nspname OPERATOR(pg_catalog.=) 'sessions'
        AND pg_catalog.pg_has_role($1::pg_catalog.name, relation.relowner, 'MEMBER') LIMIT 1";

impl Right {
    fn read(text: &str) -> Result<Right> {
        match text {
            "sessionQuery" => Ok(Right::Query),
            "sessionUpdate" => Ok(Right::Update),
            "get" => Ok(Right::Get),
            "admin" => Ok(Right::Admin),
            _ => refuse(
                Code::ERRCODE_INVALID_PARAMETER_VALUE,
                format!("there is no right \"{text}\""),
                "The rights are sessionQuery, sessionUpdate, get and admin.".into(),
            ),
        }
    }

    /// The privileges that a right consists of. The owner's rights, which `admin` has too, come by
    /// membership.
    fn privileges(self, store: &Name) -> Vec<Privileges> {
        let table = |object: String, list| Privileges { kind: "TABLE", object, list };
        let schema =
            |object: &str, list| Privileges { kind: "SCHEMA", object: object.into(), list };
        let catalogue = || "session_store.store".to_string();
        match self {
            Right::Query => vec![table(store.table(), &["SELECT"])],
            Right::Update => {
                vec![table(store.table(), &["SELECT", "INSERT", "UPDATE", "DELETE"])]
            }
            Right::Get => vec![
                schema("session_store", &["USAGE"]),
                schema("sessions", &["USAGE"]),
                table(catalogue(), &["SELECT"]),
            ],
            Right::Admin => vec![
                schema("sessions", &["CREATE"]),
                table(catalogue(), &["INSERT", "UPDATE", "DELETE"]),
            ],
        }
    }
}

impl Role {
    fn find(spi: &Spi, name: &str) -> Result<Role> {
        if spi.run(Mode::Read, ROLE, &[name.into()])?.len() > 0 {
            return Ok(Role { name: name.into(), is_public: false });
        }
        if name.eq_ignore_ascii_case("public") {
            return Ok(Role { name: "public".into(), is_public: true });
        }
        let hint = "SELECT rolname FROM pg_roles lists the roles; public stands for all of them.";
        refuse(
            Code::ERRCODE_UNDEFINED_OBJECT,
            format!("role \"{name}\" does not exist"),
            hint.into(),
        )
    }

    fn sql(&self) -> Result<String> {
        if self.is_public { Ok("PUBLIC".into()) } else { Ok(Name::new(&self.name)?.quoted()) }
    }

    /// Whether the role has a privilege, by itself, through PUBLIC or through other roles.
    fn has(&self, spi: &Spi, of: &Privileges, privilege: &str) -> Result<bool> {
        let test = match of.kind {
            "TABLE" => "has_table_privilege",
            _ => "has_schema_privilege",
        };
        let sql = format!("SELECT pg_catalog.{test}($1::pg_catalog.name, $2, $3)");
        let parameters = [self.name.as_str().into(), of.object.as_str().into(), privilege.into()];
        Ok(spi.run_now(&sql, &parameters)?.get::<bool>(0, 1).unwrap_or(false))
    }
}

/// Gives a role a right on a store, all of its privileges or none.
pub fn grant(store: &str, role: &str, right: &str) -> Result<()> {
    let (wanted, name) = (Right::read(right)?, right);
    Spi::connect(|spi| {
        let store = Store::find(spi, store)?;
        let role = Role::find(spi, role)?;
        if wanted == Right::Admin {
            grant_ownership(spi, &store, &role)?;
        }
        for part in wanted.privileges(&store.name) {
            let (list, object) = (part.list.join(", "), &part.object);
            let sql = format!("GRANT {list} ON {} {object} TO {}", part.kind, role.sql()?);
            spi.run(Mode::Write, &sql, &[])?;
            // Without the grant option, GRANT may give less than it is asked for, with a warning.
            for privilege in part.list {
                if !role.has(spi, &part, privilege)? {
                    return refuse(
                        Code::ERRCODE_INSUFFICIENT_PRIVILEGE,
                        format!(
                            "right \"{name}\" cannot be granted: permission denied for {object}"
                        ),
                        format!(
                            "{privilege} on {object} is granted by its owner or by a role that has it WITH GRANT OPTION."
                        ),
                    );
                }
            }
            on_workers(spi, &store, &part, &sql)?;
        }
        Ok(())
    })
}

/// Citus takes what is granted on a table to the other servers, but not what is granted on the
/// extension's schemas and catalogue. These are granted there at once, whatever becomes of the
/// transaction.
fn on_workers(spi: &Spi, store: &Store, part: &Privileges, sql: &str) -> Result<()> {
    if part.object == store.name.table() || !is_distributed(store.table) {
        return Ok(());
    }
    match distributed::run_on_workers(spi, sql)? {
        None => Ok(()),
        Some(problem) => refuse(
            Code::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("{sql} failed on another server: {problem}"),
            "The role must be there, and you must be allowed to grant there what you grant here."
                .into(),
        ),
    }
}

/// Takes all privileges of a right from a role. It may have them from elsewhere, too, and then keeps
/// them: that is a warning.
pub fn revoke(store: &str, role: &str, right: &str) -> Result<()> {
    let (wanted, name) = (Right::read(right)?, right);
    Spi::connect(|spi| {
        let store = Store::find(spi, store)?;
        let role = Role::find(spi, role)?;
        if wanted == Right::Admin {
            revoke_ownership(spi, &store, &role)?;
            // The role needs these privileges for the other stores.
            if !role.is_public && spi.run_now(IS_ADMIN, &[role.name.as_str().into()])?.len() > 0 {
                return Ok(());
            }
        }
        let mut kept = false;
        for part in wanted.privileges(&store.name) {
            let (list, object) = (part.list.join(", "), &part.object);
            let sql = format!("REVOKE {list} ON {} {object} FROM {}", part.kind, role.sql()?);
            // What the user may not revoke is told below, once, and not for each column of the table.
            with_gucs(&[ONLY_ERRORS], || spi.run(Mode::Write, &sql, &[]).map(drop))?;
            for privilege in part.list {
                kept |= role.has(spi, &part, privilege)?;
            }
            on_workers(spi, &store, &part, &sql)?;
        }
        if kept {
            error::warning(
                format!("role \"{}\" still has privileges of right \"{name}\"", role.name),
                "A role also has what PUBLIC and the roles that it is a member of have, what it owns, and what other roles have \
                 granted to it.",
            );
        }
        Ok(())
    })
}

/// The name of the owner, and whether he can become a superuser.
fn owner(spi: &Spi, store: &Store) -> Result<(String, bool)> {
    let rows = spi.run_now(OWNER, &[store.table.into()])?;
    let missing =
        || Error::TableMissing { name: store.name.as_str().into(), table: store.name.table() };
    let (Some(name), Some(is_superuser)) = (rows.get(0, 1), rows.get(0, 2)) else {
        return Err(missing());
    };
    Ok((name, is_superuser))
}

fn grant_ownership(spi: &Spi, store: &Store, role: &Role) -> Result<()> {
    let (owner, is_superuser) = owner(spi, store)?;
    let code = Code::ERRCODE_INVALID_GRANT_OPERATION;
    let cannot = "right \"admin\" cannot be granted";
    if role.is_public {
        let hint = "Grant it to a role. Other roles can become members of that role.";
        return refuse(code, format!("{cannot} to PUBLIC"), hint.into());
    }
    if is_superuser && owner != role.name {
        let problem = format!(
            "{cannot}: the owner of {}, \"{owner}\", can become a superuser",
            store.name.table()
        );
        let hint = format!(
            "The right makes the role a member of the owner. ALTER TABLE {} OWNER TO … gives the table to a role that \
             cannot, best one made for this store (CREATE ROLE … NOLOGIN). Partitions have owners of their own.",
            store.name.table()
        );
        return refuse(code, problem, hint);
    }
    if owner != role.name {
        let sql = format!("GRANT {} TO {}", Name::new(&owner)?.quoted(), role.sql()?);
        spi.run(Mode::Write, &sql, &[])?;
    }
    Ok(())
}

fn revoke_ownership(spi: &Spi, store: &Store, role: &Role) -> Result<()> {
    let (owner, _) = owner(spi, store)?;
    if owner == role.name {
        return refuse(
            Code::ERRCODE_INVALID_GRANT_OPERATION,
            format!("role \"{owner}\" is the owner of {}", store.name.table()),
            format!(
                "ALTER TABLE {} OWNER TO … gives the table to another role.",
                store.name.table()
            ),
        );
    }
    if !role.is_public {
        let sql = format!("REVOKE {} FROM {}", Name::new(&owner)?.quoted(), role.sql()?);
        spi.run(Mode::Write, &sql, &[])?;
    }
    Ok(())
}

fn refuse<T>(code: Code, problem: String, hint: String) -> Result<T> {
    Err(Error::Grant { code, problem, hint })
}
