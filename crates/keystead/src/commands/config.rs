//! `config explain` and `config check`.

use serde::Serialize;

use crate::config::{Effective, Loaded};
use crate::exit::Exit;
use crate::failed::Failed;
use crate::output::{Form, Table};

/// A row of `config explain --json`.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    value: Option<&'a str>,
    source: String,
    default: Option<&'a str>,
    form: &'a str,
    about: &'a str,
    changed_by: &'a str,
    environment: String,
}

#[derive(Serialize)]
struct Explanation<'a> {
    files: Vec<String>,
    fields: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Checked {
    usable: bool,
    files: Vec<String>,
}

/// Shows each value with its source.
pub(crate) fn explain(loaded: &Loaded, form: Form) -> Result<Exit, Failed> {
    let fields = loaded.effective.iter().map(row).collect();
    let explanation = Explanation { files: files(loaded), fields };
    form.answer(&explanation, || explained(loaded))?;
    Ok(Exit::Done)
}

/// Says that the configuration can be used: where it cannot, no command comes this far.
pub(crate) fn check(loaded: &Loaded, form: Form) -> Result<Exit, Failed> {
    let files = files(loaded);
    let read = if files.is_empty() { "no file".to_owned() } else { files.join(", ") };
    let checked = Checked { usable: true, files };
    form.answer(&checked, || format!("the configuration can be used (read: {read})\n"))?;
    Ok(Exit::Done)
}

fn files(loaded: &Loaded) -> Vec<String> {
    loaded.files.iter().map(|path| path.display().to_string()).collect()
}

fn row(effective: &Effective) -> Row<'_> {
    let field = effective.field;
    Row {
        name: field.name,
        value: effective.value.as_deref(),
        source: effective.source.to_string(),
        default: field.default,
        form: field.form,
        about: field.about,
        changed_by: field.changed_by,
        environment: field.variable(),
    }
}

fn explained(loaded: &Loaded) -> String {
    let mut table = Table::new(["FIELD", "VALUE", "SOURCE", "WHAT IT DOES"]);
    for effective in &loaded.effective {
        let value = effective.value.as_deref().unwrap_or("-");
        let source = effective.source.to_string();
        table.row([effective.field.name, value, &source, effective.field.about]);
    }
    table.text()
}
