//! How fast keys and wrap records are made, by 64 connections.
//!
//! Invariant: the work is cut into slices and the figure is the median of theirs; requests of a
//! slice are signed before its clock runs.

use std::rc::Rc;

use keystead_driver::{Native, Serving};
use serde_json::{Value, json};

use crate::{
    failed::Failed,
    load::{Load, Until, run as load},
    presigned::{kms, native},
    statistics::median,
    subject::{Instance, address_of},
};

const CONNECTIONS: usize = 64;
const SLICES: usize = 5;

/// Makes so many keys; how many a second.
pub(crate) fn create_keys(
    instance: &Instance,
    serving: &Serving,
    count: usize,
) -> Result<f64, Failed> {
    let request = |_| kms(serving.endpoint(), &instance.access, "CreateKey", &json!({}));
    in_slices(serving, "CreateKey", count, |from, to| {
        // All are equal: what makes keys differ is drawn by the server.
        let one = request(from);
        vec![one; to - from]
    })
}

/// Puts so many wrap records, each for a subject of its own; how many a second.
pub(crate) fn put_wraps(
    instance: &Instance,
    serving: &Serving,
    count: usize,
) -> Result<f64, Failed> {
    let request =
        |number: usize| native(serving.endpoint(), &instance.access, "PUT", &path(number));
    in_slices(serving, "PUT wraps", count, |from, to| (from..to).map(request).collect())
}

/// Whether the last of so many records opens.
pub(crate) fn check_last_wrap(
    instance: &Instance,
    serving: &Serving,
    count: usize,
) -> Result<(), Failed> {
    let path = format!("{}/unwrap", path(count - 1));
    let client = Native::new(serving.endpoint(), &instance.access);
    client.call("POST", &path, &json!({}))?;
    Ok(())
}

fn path(number: usize) -> String {
    format!("/v1/wraps/bench:document:{number:08}")
}

fn in_slices(
    serving: &Serving,
    operation: &'static str,
    count: usize,
    requests: impl Fn(usize, usize) -> Vec<Vec<u8>>,
) -> Result<f64, Failed> {
    let mut rates = Vec::with_capacity(SLICES);
    let address = address_of(serving.endpoint())?;
    for slice in 0..SLICES {
        let (from, to) = (count * slice / SLICES, count * (slice + 1) / SLICES);
        let requests: Rc<[Vec<u8>]> = requests(from, to).into();
        let process = serving.process();
        let load_of = Load { address, process, connections: CONNECTIONS, requests: &requests };
        let wrong =
            |problem: String| Failed::Answer { subject: "Keystead".to_owned(), operation, problem };
        let measured = load(load_of, Until::Answered).map_err(|f| wrong(f.to_string()))?;
        for (_, body) in &measured.samples {
            serde_json::from_slice::<Value>(body).map_err(|failed| wrong(failed.to_string()))?;
        }
        eprintln!(
            "  {} of {count}: {:.0}/s, {:.0} µs of processor each, p99 {:.1} ms",
            to,
            measured.per_second(),
            measured.cpu_us(),
            std::time::Duration::from_micros(measured.p99_us).as_secs_f64() * 1e3,
        );
        rates.push(measured.per_second());
    }
    Ok(median(rates))
}
