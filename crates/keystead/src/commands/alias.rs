//! `alias create`, `update`, `delete` and `list`: calls of `/v1/aliases`.
//!
//! Invariant: with `--json` the server's own objects are passed on unchanged.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::AliasCommand;
use crate::client::{CallFailed, Client, encoded};
use crate::exit::Exit;
use crate::failed::Failed;
use crate::output::{Form, Table, moment, shown};

/// How many aliases are asked for at once.
const PAGE: &str = "1000";

#[derive(Debug, Deserialize)]
struct Alias {
    alias: String,
    key: String,
    updated_at: String,
}

#[derive(Debug, Deserialize)]
struct Page {
    aliases: Vec<Value>,
    next: Option<String>,
}

#[derive(Serialize)]
struct All {
    aliases: Vec<Value>,
}

/// Runs an `alias` command.
pub(crate) fn alias(command: &AliasCommand, client: &Client, form: Form) -> Result<Exit, Failed> {
    let at = |alias: &str| format!("/v1/aliases/{}", encoded(alias));
    match command {
        AliasCommand::Create(args) => {
            let body = json!({"alias": args.alias, "key": args.key});
            said(&client.create("/v1/aliases", &body)?, form, &args.alias)?;
        }
        AliasCommand::Update(args) => {
            let answer = client.send("PUT", &at(&args.alias), &json!({"key": args.key}))?;
            said(&answer, form, &args.alias)?;
        }
        AliasCommand::Delete(args) => {
            said(&client.delete(&at(&args.alias))?, form, &args.alias)?;
        }
        AliasCommand::List(args) => list(args.key.as_deref(), client, form)?,
    }
    Ok(Exit::Done)
}

fn said(answer: &Value, form: Form, alias: &str) -> Result<(), Failed> {
    form.answer(answer, || format!("{}\n", shown(alias)))?;
    Ok(())
}

fn list(key: Option<&str>, client: &Client, form: Form) -> Result<(), Failed> {
    let mut aliases = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut query = vec![("limit", PAGE)];
        query.extend(key.map(|key| ("key", key)));
        query.extend(after.as_deref().map(|after| ("after", after)));
        let page: Page = client.read("/v1/aliases", &query)?;
        aliases.extend(page.aliases);
        // A server that repeats itself must not keep us here for ever.
        if page.next.is_none() || page.next == after {
            break;
        }
        after = page.next;
    }
    let typed = aliases.iter().map(|alias| client.typed(alias.clone()));
    let typed: Vec<Alias> = typed.collect::<Result<_, CallFailed>>()?;
    form.answer(&All { aliases }, || {
        let mut table = Table::new(["ALIAS", "KEY", "MOVED"]);
        for alias in &typed {
            table.row([&alias.alias, &alias.key, &moment(&alias.updated_at)]);
        }
        table.text()
    })?;
    Ok(())
}
