//! What is there from the first moment on: the program, its readiness, its process.

use keystead_service::NotReady;

use super::{families as of, page::Page};
use crate::node::Node;

pub(super) fn write(page: &mut Page, node: &Node) {
    page.family(of::BUILD).add(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    readiness(page, &node.not_ready());
    let mut probes = page.family(of::PROBES);
    for (probe, outcome, count) in node.probes() {
        probes.add(&[("probe", probe), ("outcome", outcome)], count);
    }
    let machine = node.machine();
    page.one(of::ARENA, machine.arena_bytes);
    page.one(of::ARENA_USED, machine.arena_used_bytes);
    page.one(of::ARENA_BLOCKS, machine.arena_blocks);
    page.maybe(of::RESIDENT, machine.resident_bytes);
    page.maybe(of::OPEN_FDS, machine.open_fds);
    page.maybe(of::MAX_FDS, machine.max_fds);
    page.maybe(of::STARTED, machine.started_at_s);
    page.maybe(of::CPU, machine.cpu_s);
}

fn readiness(page: &mut Page, reasons: &[NotReady]) {
    page.one(of::READY, u8::from(reasons.is_empty()));
    let uses = reasons.iter().all(|reason| reason.lets_uses_go_on());
    page.one(of::READY_FOR_USES, u8::from(uses));
    let mut not_ready = page.family(of::NOT_READY);
    for reason in NotReady::ALL {
        not_ready.add(&[("reason", reason.name())], u8::from(reasons.contains(&reason)));
    }
}
