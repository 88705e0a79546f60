//! Scale: how fast changes are taken, how much memory so many keys need, how soon a node is ready,
//! and how long the way back takes.
//!
//! Invariant: every key and record is made through the front door of the released binary with two
//! vaults that both confirm, so what is started and restored is what users would have.

mod changes;
mod start;

use std::time::Instant;

use crate::{
    disk::{Place, Syncs},
    failed::Failed,
    machine::Cores,
    options::Options,
    scale::start::Witness,
    subject::Instance,
    verdict::{Bar, Kind, Verdict},
};

/// The probe before each part.
const PROBE: std::time::Duration = std::time::Duration::from_millis(400);

/// How much memory and how long a start may take, up to so many keys.
const STARTS: [(usize, f64, f64); 2] = [(10_000, 80.0, 2.0), (1_000_000, 300.0, 10.0)];
const CREATE_KEY: f64 = 500.0;
const PUT_WRAP: f64 = 3_000.0;
const RESTORE_SECONDS: f64 = 60.0;

/// Measures all of it; the figures come with their bars.
pub(crate) fn run(
    options: &Options,
    place: &Place,
    cores: &Cores,
    syncs: &mut Syncs,
) -> Result<Vec<Verdict>, Failed> {
    let mut figures = Vec::new();
    let (smallest, larger) = options.keys.split_first().expect("a preset has one");
    let instance = Instance::new(place, "scale")?;
    let serving = instance.serve(*cores)?;
    let witness = Witness::new(&instance, &serving)?;
    place.probe(syncs, PROBE)?;
    eprintln!("making {smallest} keys");
    let per_second = changes::create_keys(&instance, &serving, *smallest - 1)?;
    figures.push(absolute("CreateKey", per_second, "/s", Bar::AtLeast(CREATE_KEY)));
    place.probe(syncs, PROBE)?;
    eprintln!("putting {} wrap records", options.wraps);
    let per_second = changes::put_wraps(&instance, &serving, options.wraps)?;
    figures.push(absolute("PUT wraps", per_second, "/s", Bar::AtLeast(PUT_WRAP)));
    serving.stop();
    place.probe(syncs, PROBE)?;
    figures.extend(started(*smallest, &instance, &witness, *cores)?);
    eprintln!("restoring");
    figures.push(restored(options, &instance, &witness, place, *cores)?);
    for keys in larger {
        figures.extend(at(*keys, place, *cores)?);
    }
    Ok(figures)
}

/// Memory and start with more keys: an instance of its own, since the first is restored elsewhere.
fn at(keys: usize, place: &Place, cores: Cores) -> Result<Vec<Verdict>, Failed> {
    eprintln!("making {keys} keys");
    let instance = Instance::new(place, &format!("scale-{keys}"))?;
    let serving = instance.serve(cores)?;
    let witness = Witness::new(&instance, &serving)?;
    changes::create_keys(&instance, &serving, keys - 1)?;
    serving.stop();
    started(keys, &instance, &witness, cores)
}

fn started(
    keys: usize,
    instance: &Instance,
    witness: &Witness,
    cores: Cores,
) -> Result<Vec<Verdict>, Failed> {
    let started = start::measure(instance, witness, cores)?;
    // Between two sizes the bar of the smaller one binds.
    let bar = STARTS.iter().rev().find(|(size, ..)| *size <= keys).unwrap_or(&STARTS[0]);
    let (memory, time) = (Bar::AtMost(bar.1), Bar::AtMost(bar.2));
    Ok(vec![
        Verdict {
            what: format!("resident after ready, {keys} keys"),
            figure: started.resident_mb,
            unit: " MB",
            bar: memory,
            kind: Kind::Memory,
        },
        absolute(&format!("ready, {keys} keys"), started.ready_seconds, " s", time),
    ])
}

fn restored(
    options: &Options,
    instance: &Instance,
    witness: &Witness,
    place: &Place,
    cores: Cores,
) -> Result<Verdict, Failed> {
    let began = Instant::now();
    let restored = instance.restore(place, "restored", cores)?;
    let seconds = began.elapsed().as_secs_f64();
    let serving = restored.serve(cores)?;
    witness.testify(&restored, &serving)?;
    changes::check_last_wrap(&restored, &serving, options.wraps)?;
    let what = format!("restore of {} keys and {} wraps", options.keys[0], options.wraps);
    Ok(absolute(&what, seconds, " s", Bar::AtMost(RESTORE_SECONDS)))
}

fn absolute(what: &str, figure: f64, unit: &'static str, bar: Bar) -> Verdict {
    Verdict { what: what.to_owned(), figure, unit, bar, kind: Kind::Absolute }
}
