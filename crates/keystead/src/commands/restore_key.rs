//! `restore key`: what differs, then, once it is meant, the key as a recovery point has it.
//!
//! Invariant: nothing is brought back that was not shown: the server does it only while the key has
//! the revision that the difference was told for.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::RestoreKeyArgs;
use crate::client::{Client, encoded};
use crate::exit::Exit;
use crate::failed::Failed;
use crate::output::{Form, Table, moment, shown};
use crate::plan::{Desk, PlanRefused};

#[derive(Debug, Deserialize)]
struct Told {
    key_id: String,
    point: Option<String>,
    point_at: Option<String>,
    revision: u64,
    fields: Vec<Field>,
    versions: Vec<Version>,
    applied: bool,
}

#[derive(Debug, Deserialize)]
struct Field {
    field: String,
    now: String,
    then: String,
}

#[derive(Debug, Deserialize)]
struct Version {
    version: String,
    number: u64,
    material: String,
}

impl Told {
    fn differs(&self) -> bool {
        !self.fields.is_empty() || self.versions.iter().any(|one| one.material != "sound")
    }

    fn text(&self) -> String {
        let beside = match (&self.point, &self.point_at) {
            (Some(point), Some(at)) => format!("{} of {}", shown(point), moment(at)),
            _ => "its copies alone: the newest recovery point does not have it yet".to_owned(),
        };
        let mut text = format!("{} beside {beside}\n\n", shown(&self.key_id));
        let mut table = Table::new(["WHAT", "NOW", "THEN"]);
        for field in &self.fields {
            table.row([&field.field, &field.now, &field.then]);
        }
        for version in &self.versions {
            let what = format!("version {} {}", version.number, version.version);
            table.row([&what, &version.material, "opens from its copy"]);
        }
        text.push_str(&table.text());
        text
    }
}

/// Shows the difference, asks, and brings the key back.
pub(crate) fn restore_key(
    args: &RestoreKeyArgs,
    desk: &mut Desk<'_>,
    client: &Client,
    form: Form,
) -> Result<Exit, Failed> {
    if !args.diff && !args.yes && !desk.questions.answers() {
        return Err(PlanRefused::Missing { flags: vec!["--yes or --diff"] }.into());
    }
    let path = format!("/v1/keys/{}/restore", encoded(&args.key));
    let mut body = json!({});
    if let Some(point) = args.from {
        body["point"] = point.to_string().into();
    }
    if let Some(version) = args.key_version {
        body["version"] = version.to_string().into();
    }
    let answer: Value = client.create(&path, &body)?;
    let told: Told = client.typed(answer.clone())?;
    if args.diff || !told.differs() {
        form.answer(&answer, || format!("{}\n{}", told.text(), verdict(&told)))?;
        return Ok(Exit::Done);
    }
    if !args.yes {
        desk.questions.tell(&told.text())?;
        if desk.questions.line_or("Bring the key back to this?", "no").map_err(PlanRefused::from)?
            != "yes"
        {
            return Err(PlanRefused::NotConfirmed.into());
        }
    }
    body["apply"] = told.revision.into();
    let answer: Value = client.create(&path, &body)?;
    let told: Told = client.typed(answer.clone())?;
    form.answer(&answer, || format!("{}\n{}", told.text(), verdict(&told)))?;
    Ok(Exit::Done)
}

fn verdict(told: &Told) -> &'static str {
    match (told.applied, told.differs()) {
        (true, _) => "It was brought back.\n",
        (false, true) => "Nothing was done.\n",
        (false, false) => "Nothing differs.\n",
    }
}
