//! The closed loop: so many connections, each asking again as soon as it is answered.
//!
//! Invariant: one thread drives all connections. An answer counts where it came wholly within the
//! measured time; one with another status than 200 (or 201) ends the measurement, since an error
//! that is fast is no speed.

use std::{
    cell::RefCell,
    io,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use rustix::process::Pid;
use tokio::task::JoinSet;

use crate::{connection::Connection, machine, statistics::percentile};

/// What is asked, of whom, by how many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) process: Pid,
    pub(crate) connections: usize,
    /// Each connection goes through them from a place of its own.
    pub(crate) requests: &'a Rc<[Vec<u8>]>,
}

/// When it ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// So long, after a time that is not measured.
    Time { warm_up: Duration, measured: Duration },
    /// When each request was answered once.
    Answered,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) answers: usize,
    pub(crate) seconds: f64,
    /// Processor time of the server meanwhile.
    pub(crate) cpu: Duration,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
    /// The last answer of each connection, with which request it answers.
    pub(crate) samples: Vec<(usize, Vec<u8>)>,
}

impl Measured {
    pub(crate) fn per_second(&self) -> f64 {
        count(self.answers) / self.seconds
    }

    /// Microseconds of the server's processor for each answer.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / count(self.answers.max(1))
    }
}

/// A count that is far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "no run answers 2^52 requests")]
pub(crate) fn count(number: usize) -> f64 {
    number as f64
}

#[derive(Debug, Default)]
struct Shared {
    latencies_us: Vec<u64>,
    samples: Vec<(usize, Vec<u8>)>,
    next: usize,
    last_answer: Option<Instant>,
}

/// Asks until the end.
pub(crate) fn run(load: Load<'_>, until: Until) -> io::Result<Measured> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, drive(load, until))
}

async fn drive(load: Load<'_>, until: Until) -> io::Result<Measured> {
    let shared = Rc::new(RefCell::new(Shared::default()));
    let mut opened = Vec::with_capacity(load.connections);
    for _ in 0..load.connections {
        opened.push(Connection::open(load.address).await?);
    }
    let began = Instant::now();
    let (from, to) = match until {
        Until::Time { warm_up, measured } => (began + warm_up, Some(began + warm_up + measured)),
        Until::Answered => (began, None),
    };
    let mut cpu_before = machine::cpu_time(load.process);
    let mut tasks = JoinSet::new();
    for (index, connection) in opened.into_iter().enumerate() {
        let (requests, shared) = (load.requests.clone(), shared.clone());
        // Spread, so that at no time all connections send the same bytes.
        let first = index * requests.len() / load.connections;
        tasks.spawn_local(async move {
            match to {
                Some(to) => ask_until(connection, requests, shared, first, from, to).await,
                None => ask_each(connection, requests, shared).await,
            }
        });
    }
    if to.is_some() {
        tokio::time::sleep_until(from.into()).await;
        cpu_before = machine::cpu_time(load.process);
    }
    let mut cpu_after = None;
    if let Some(to) = to {
        tokio::time::sleep_until(to.into()).await;
        cpu_after = Some(machine::cpu_time(load.process));
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(io::Error::other)??;
    }
    let cpu = cpu_after.unwrap_or_else(|| machine::cpu_time(load.process)) - cpu_before;
    let shared = std::mem::take(&mut *shared.borrow_mut());
    let end = to.or(shared.last_answer).unwrap_or_else(Instant::now);
    Ok(measured(shared, end - from, cpu))
}

fn measured(mut shared: Shared, time: Duration, cpu: Duration) -> Measured {
    Measured {
        answers: shared.latencies_us.len(),
        seconds: time.as_secs_f64(),
        cpu,
        p50_us: percentile(&mut shared.latencies_us, 50),
        p99_us: percentile(&mut shared.latencies_us, 99),
        samples: shared.samples,
    }
}

async fn ask_until(
    mut connection: Connection,
    requests: Rc<[Vec<u8>]>,
    shared: Rc<RefCell<Shared>>,
    first: usize,
    from: Instant,
    to: Instant,
) -> io::Result<()> {
    let mut at = first;
    loop {
        let (asked, index) = (Instant::now(), at % requests.len());
        let answered = good(connection.ask(&requests[index]).await?, &connection)?;
        let now = Instant::now();
        if now >= to {
            let sample = (index, connection.body(answered));
            shared.borrow_mut().samples.push(sample);
            return Ok(());
        }
        if asked >= from {
            shared.borrow_mut().latencies_us.push(micros(now - asked));
        }
        at += 1;
    }
}

async fn ask_each(
    mut connection: Connection,
    requests: Rc<[Vec<u8>]>,
    shared: Rc<RefCell<Shared>>,
) -> io::Result<()> {
    loop {
        let index = shared.borrow().next;
        let Some(request) = requests.get(index) else { return Ok(()) };
        shared.borrow_mut().next += 1;
        let asked = Instant::now();
        let answered = good(connection.ask(request).await?, &connection)?;
        let (now, shared) = (Instant::now(), &mut *shared.borrow_mut());
        shared.latencies_us.push(micros(now - asked));
        shared.last_answer = Some(now);
        if shared.samples.len() < 64 {
            shared.samples.push((index, connection.body(answered)));
        }
    }
}

fn good(
    answered: crate::connection::Answered,
    connection: &Connection,
) -> io::Result<crate::connection::Answered> {
    if matches!(answered.status, 200 | 201) {
        return Ok(answered);
    }
    let body = String::from_utf8_lossy(&connection.body(answered)).into_owned();
    Err(io::Error::other(format!("status {}: {body}", answered.status)))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
