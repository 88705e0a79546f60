//! `wrap put|show|unwrap|list|export|verify`: calls of `/v1/wraps`, and files of wrap records.
//!
//! Invariant: a data key goes from a wiped buffer into a new file and nowhere else. With `--json`
//! the server's own object is passed on without it; `put` adds `origin`, which the server says by
//! its status.

mod answer;
mod export;
mod failed;
#[cfg(test)]
mod tests;
mod verify;

use base64_simd::STANDARD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::cli::{WrapCommand, WrapPutArgs, WrapShowArgs, WrapUnwrapArgs};
use crate::client::{CallFailed, Client, Origin, ProfileRefused, encoded};
use crate::exit::Exit;
use crate::failed::Failed;
use crate::new_file::NewFile;
use crate::output::{Form, Table, moment, shown};
use crate::secrets::{Reference, read_bytes};

use answer::{Opened, Page, Wrap};
pub(crate) use failed::WrapFailed;

/// How many records are asked for at once.
const PAGE: &str = "1000";

/// Runs a `wrap` command; `verify` needs no server.
pub(crate) fn wrap(
    command: &WrapCommand,
    client: Result<Client, ProfileRefused>,
    form: Form,
) -> Result<Exit, Failed> {
    match command {
        WrapCommand::Put(args) => put(args, &client?, form)?,
        WrapCommand::Show(args) => show(args, &client?, form)?,
        WrapCommand::Unwrap(args) => unwrap(args, &client?, form)?,
        WrapCommand::List => list(&client?, form)?,
        WrapCommand::Export(args) => export::export(args, &client?, form)?,
        WrapCommand::Verify(args) => verify::verify(args, client, form)?,
    }
    Ok(Exit::Done)
}

fn put(args: &WrapPutArgs, client: &Client, form: Form) -> Result<(), Failed> {
    let body = body(args)?;
    // Before the server makes a data key that nobody could keep.
    let file = args.data_key_out.as_deref().map(NewFile::begin).transpose()?;
    let (origin, opened): (Origin, Opened) = client.put(&path(&args.subject), &body)?;
    let wrap: Wrap = client.typed(opened.record.clone())?;
    if let Some(file) = file {
        keep(file, &opened)?;
    }
    let (word, mut answer) = (word(origin), opened.record);
    answer["origin"] = Value::from(word);
    let said = || format!("{} was {word}, record {}\n", shown(&wrap.wrap), wrap.sequence);
    form.answer(&answer, said)?;
    Ok(())
}

fn show(args: &WrapShowArgs, client: &Client, form: Form) -> Result<(), Failed> {
    let answer: Value = client.read(&path(&args.subject), &[])?;
    let wrap: Wrap = client.typed(answer.clone())?;
    form.answer(&answer, || text(&wrap))?;
    Ok(())
}

fn unwrap(args: &WrapUnwrapArgs, client: &Client, form: Form) -> Result<(), Failed> {
    let file = NewFile::begin(&args.data_key_out)?;
    let path = format!("{}/unwrap", path(&args.subject));
    let opened: Opened = client.create(&path, &json!({}))?;
    let wrap: Wrap = client.typed(opened.record.clone())?;
    keep(file, &opened)?;
    let said = || {
        let file = args.data_key_out.display().to_string();
        format!("{} was unwrapped into `{}`\n", shown(&wrap.wrap), shown(&file))
    };
    form.answer(&opened.record, said)?;
    Ok(())
}

fn list(client: &Client, form: Form) -> Result<(), Failed> {
    let mut wraps: Vec<Value> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page: Page<Value> = page(client, after.as_deref())?;
        wraps.extend(page.wraps);
        // A server that repeats itself must not keep us here for ever.
        if page.next.is_none() || page.next == after {
            break;
        }
        after = page.next;
    }
    let typed = wraps.iter().map(|wrap| client.typed(wrap.clone()));
    let typed: Vec<Wrap> = typed.collect::<Result<_, CallFailed>>()?;
    form.answer(&json!({ "wraps": wraps }), || table(&typed).text())?;
    Ok(())
}

/// One page of records, those behind `after`.
fn page<T: serde::de::DeserializeOwned>(
    client: &Client,
    after: Option<&str>,
) -> Result<Page<T>, CallFailed> {
    let mut query = vec![("limit", PAGE)];
    query.extend(after.map(|after| ("after", after)));
    client.read("/v1/wraps", &query)
}

fn path(subject: &str) -> String {
    format!("/v1/wraps/{}", encoded(subject))
}

fn word(origin: Origin) -> &'static str {
    match origin {
        Origin::Made => "made",
        Origin::Found => "found",
    }
}

fn body(args: &WrapPutArgs) -> Result<Zeroizing<Vec<u8>>, Failed> {
    let Some(reference) = &args.data_key_file else {
        let body = args.bytes.map_or(json!({}), |bytes| json!({ "bytes": bytes }));
        return Ok(Zeroizing::new(body.to_string().into_bytes()));
    };
    Ok(given(reference)?)
}

fn given(reference: &Reference) -> Result<Zeroizing<Vec<u8>>, crate::secrets::IntakeRefused> {
    let data_key = read_bytes(reference, "the data key")?;
    // Room for all of it, so that no growth leaves a copy behind.
    let mut body = Zeroizing::new(Vec::with_capacity(data_key.len() * 2 + 64));
    body.extend_from_slice(br#"{"data_key":""#);
    STANDARD.encode_append(&*data_key, &mut *body);
    body.extend_from_slice(br#""}"#);
    Ok(body)
}

fn keep(mut file: NewFile, opened: &Opened) -> Result<(), Failed> {
    let data_key = opened.data_key.as_ref().ok_or(WrapFailed::Answer { what: "plaintext" })?;
    file.write(data_key)?;
    Ok(file.finish()?)
}

fn table(wraps: &[Wrap]) -> Table {
    let mut table = Table::new(["RECORD", "SUBJECT", "MADE", "WRAP", "KEY VERSION"]);
    for wrap in wraps {
        let number = wrap.sequence.to_string();
        let made = moment(&wrap.created_at);
        table.row([&number, &wrap.subject, &made, &wrap.wrap, &wrap.key_version]);
    }
    table
}

fn text(wrap: &Wrap) -> String {
    let line = |name: &str, value: &str| format!("{name:<12} {}\n", shown(value));
    [
        line("wrap", &wrap.wrap),
        line("subject", &wrap.subject),
        line("record", &wrap.sequence.to_string()),
        line("made", &moment(&wrap.created_at)),
        line("algorithm", &wrap.algorithm),
        line("master key", &wrap.key),
        line("key version", &wrap.key_version),
        line("key check", &wrap.key_check),
        line("data key", &format!("{} (wrapped)", wrap.data_key)),
    ]
    .concat()
}
