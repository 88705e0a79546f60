//! Recovery points: the whole state at one commit, made on demand and by schedule, in the vaults.
//!
//! Invariant: a point stands on the confirmed end of the chain, so it names a segment that enough
//! vaults hold; it is in enough vaults before the inventory names it. A number is never used twice:
//! where a put may have happened, the next point takes the next one. A point that is lost costs
//! nothing: the base and the segments say the same.

mod make;
mod state;

use std::{collections::BTreeMap, sync::Arc};

use keystead_archive::{SegmentHeader, names, names::ObjectKind, object_hash};
use keystead_domain::{ChangeId, Kind, PointId, PointKind, RecoveryPoint, Timestamp};
use keystead_ledger::Attributes;
use keystead_store::{AggregateRef, ChangeSet, Expected};

use crate::{
    Cx, Error, Fault, Service,
    audit::{Deed, job_event_on, said, state_event_with},
    commit::{Made, commit_known},
    door::{Recorded, Resolved, Resource},
    ports::blocking,
    shipper::ChainEnd,
    start::scan_all,
    vaults::{held_chain, object_name, put_quorum},
};

pub(crate) use state::{PagesAt, rows_at};

use make::{Maker, segment_kind};

/// Makes a recovery point now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreatePoint {
    /// What it holds.
    pub kind: PointKind,
}

/// The next number; held by whoever makes a point, so that there is one at a time.
#[derive(Debug, Default)]
pub(crate) struct PointNumbers(tokio::sync::Mutex<Option<u64>>);

/// When points are made without anybody asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointSchedule {
    /// A full one at least so often, in milliseconds, where anything changed.
    pub every_ms: u64,
    /// And one as soon as a restore would have to read so many segments behind the last, though
    /// they never take more than about a twentieth of the time.
    pub after_segments: u64,
}

/// How often the schedule is looked at, in milliseconds.
const LOOK_MS: u64 = 60_000;
/// How many times as long as a point took no other one is made for its segments alone. Where keys
/// are made all day long, points of a large state must not be what the node does all day.
const PAUSE: u64 = 20;

impl Service {
    /// Makes a recovery point and answers once it is in enough vaults and in the inventory.
    pub async fn create_point(
        self: &Arc<Self>,
        cx: Cx,
        command: CreatePoint,
    ) -> Recorded<Result<RecoveryPoint, Error>> {
        let service = self.clone();
        let operation = "CreateRecoveryPoint";
        self.carry_out(cx.clone(), operation, async move {
            let resource = Resource::tenant(cx.principal.tenant);
            let revision = service.progress.applied.at();
            let event = |at: Timestamp, of: Resource, said: Attributes| {
                let deed = Deed { operation, resource: Some(of) };
                state_event_with(at, &service.tenants, &cx, deed, said)
            };
            let passed = service.pass_to(&cx, operation, resource, revision);
            let made = match passed {
                Ok(()) => service.make_point(command.kind, event).await,
                Err(refused) => Err(refused),
            };
            match made {
                Ok((made, point)) => service.settled(made, point).await,
                Err(error) => {
                    let deed = Deed { operation, resource: Some(resource) };
                    service.record(&cx, deed, revision, Err(error)).await
                }
            }
        })
        .await
    }

    /// The inventory of recovery points, oldest first.
    pub async fn list_points(
        self: &Arc<Self>,
        cx: Cx,
    ) -> Recorded<Result<Vec<RecoveryPoint>, Error>> {
        let (service, operation) = (self.clone(), "ListRecoveryPoints");
        self.carry_out(cx.clone(), operation, async move {
            let resource = Resource::tenant(cx.principal.tenant);
            let revision = service.progress.applied.at();
            let result = match service.pass_to(&cx, operation, resource, revision) {
                Ok(()) => service.points().await,
                Err(refused) => Err(refused),
            };
            let deed = Deed { operation, resource: Some(resource) };
            service.record(&cx, deed, revision, result).await
        })
        .await
    }

    /// The door of operations that are about the caller's tenant as a whole.
    pub(crate) fn pass_to(
        &self,
        cx: &Cx,
        operation: &'static str,
        resource: Resource,
        revision: u64,
    ) -> Result<(), Error> {
        self.may_act()?;
        Resolved::new((), resource, revision).authorise(cx, operation)?.approve().into_parts();
        Ok(())
    }

    /// All points that the inventory names.
    pub(crate) async fn points(&self) -> Result<Vec<RecoveryPoint>, Error> {
        let rows = scan_all(&self.ports, Kind::Point).await.map_err(Fault::from)?;
        let read = rows.iter().map(|row| self.system_body(row, RecoveryPoint::from_body));
        let mut points: Vec<RecoveryPoint> = read.collect::<Result<_, _>>()?;
        points.sort_by_key(|point| (point.at, point.id));
        Ok(points)
    }

    /// Makes points by schedule.
    pub(crate) async fn keep_making_points(self: Arc<Self>) {
        let now_ms = || self.ports.clock.monotonic_ms();
        let mut rested_ms = 0;
        loop {
            self.ports.clock.sleep_ms(LOOK_MS).await;
            if self.may_act().is_err() {
                continue;
            }
            let began_ms = now_ms();
            match self.point_is_due(began_ms >= rested_ms).await {
                Ok(false) => {}
                Ok(true) => {
                    let event =
                        |at, of, said| job_event_on(&self.ports, at, "RecoveryPointMade", of, said);
                    match self.make_point(PointKind::Full, event).await {
                        Ok((made, _)) => self.progress.committed.reach(made.at.commit_seq),
                        Err(failed) => tracing::warn!(%failed, "a recovery point was not made"),
                    }
                    rested_ms = now_ms() + (now_ms() - began_ms).saturating_mul(PAUSE);
                }
                Err(failed) => tracing::warn!(%failed, "recovery points could not be listed"),
            }
        }
    }

    /// Whether the newest full point is too old, or, after a rest, too many segments lie behind it.
    async fn point_is_due(&self, rested: bool) -> Result<bool, Error> {
        let own = self.instance.incarnation;
        let points = self.points().await?;
        let newest = points
            .iter()
            .rfind(|point| point.kind == PointKind::Full && point.id.incarnation == own);
        let end = self.set.confirmed_end();
        // Before the first one there is the base, which is as old as this incarnation.
        let (follows, commit_seq, at) = match newest {
            Some(point) => (point.follows, point.commit_seq, point.at),
            None => (0, self.base.commit_seq, self.began_at()),
        };
        // Nothing new but the note of the point itself.
        if end.commit_seq <= commit_seq + u64::from(newest.is_some()) {
            return Ok(false);
        }
        let age = self.ports.clock.now().as_micros() - at.as_micros();
        let every = i64::try_from(self.upkeep.points.every_ms).unwrap_or(i64::MAX);
        let is_old = age / 1000 >= every;
        let behind = end.sequence.saturating_sub(follows);
        Ok(is_old || (rested && behind >= self.upkeep.points.after_segments))
    }

    /// When this incarnation began: it gave each tenant new keys.
    fn began_at(&self) -> Timestamp {
        let system = self.tenants.get(&self.instance.system_tenant);
        system.map_or(Timestamp::from_micros(0), |keys| keys.tenant.master.current().created_at)
    }

    /// Makes one on the confirmed end of the chain: into the vaults, then into the inventory.
    async fn make_point(
        &self,
        kind: PointKind,
        event: impl Fn(Timestamp, Resource, Attributes) -> Vec<u8>,
    ) -> Result<(Made, RecoveryPoint), Error> {
        let next = &mut *self.point_numbers.0.lock().await;
        let number = match *next {
            Some(number) => number,
            None => self.free_number().await?,
        };
        let (header, bytes) = self.point_bytes(kind, number).await?;
        let id = PointId { incarnation: self.instance.incarnation, number };
        let point = RecoveryPoint {
            id,
            kind,
            at: header.at,
            commit_seq: header.last_commit_seq,
            follows: header.follows,
            bytes: bytes.len() as u64,
            hash: object_hash(&bytes),
        };
        // Whatever becomes of the put, a vault may hold something under this number from here on.
        *next = Some(number + 1);
        let name = object_name(&names::point(self.instance.id, id.incarnation, number));
        put_quorum(&self.ports, &self.set, &name, bytes.into()).await?;
        let made = self.note_point(&point, event).await?;
        Ok((made, point))
    }

    /// One behind the highest that any vault or the inventory knows of.
    async fn free_number(&self) -> Result<u64, Error> {
        let own = self.instance.incarnation;
        let known = self.points().await?;
        let known = known.iter().filter(|point| point.id.incarnation == own);
        let mut highest = known.map(|point| point.id.number).max().unwrap_or(1);
        for member in &self.set.members {
            // One that is away is compared with the others before it gets anything.
            let Ok(names) = held_chain(&*member.vault, self.instance.id).await else { continue };
            let there = names.iter().filter_map(|name| match names::parse(name.as_ref())? {
                ObjectKind::Point { incarnation, number, .. } if incarnation == own => Some(number),
                _ => None,
            });
            highest = there.max().unwrap_or(0).max(highest);
        }
        Ok(highest + 1)
    }

    async fn point_bytes(
        &self,
        kind: PointKind,
        number: u64,
    ) -> Result<(SegmentHeader, Vec<u8>), Error> {
        let end = self.set.confirmed_end();
        let sealing = self.sealing();
        let link = ChainEnd { sequence: number, ..end };
        let header = SegmentHeader {
            kind: segment_kind(kind),
            first_commit_seq: 1,
            ..self.shipper.header(&sealing, &end, &link)
        };
        let mut maker = Maker {
            entropy: self.ports.entropy.clone(),
            sealing,
            tenants: self.tenants.clone(),
            kind,
            header,
            states: BTreeMap::new(),
        };
        let mut pages = PagesAt::new(end.commit_seq);
        while let Some(rows) = pages.next(&self.ports).await.map_err(Fault::from)? {
            let take = move || maker.take(&rows).map(|()| maker);
            let taken = blocking(&*self.ports.tasks, take).await;
            maker = taken.ok_or(Fault::Internal)??;
        }
        let built = blocking(&*self.ports.tasks, move || maker.finish()).await;
        Ok(built.ok_or(Fault::Internal)??)
    }

    /// Names the point in the inventory; the event is the change's own.
    async fn note_point(
        &self,
        point: &RecoveryPoint,
        event: impl Fn(Timestamp, Resource, Attributes) -> Vec<u8>,
    ) -> Result<Made, Error> {
        let at = AggregateRef { kind: Kind::Point, id: self.ports.entropy.array() };
        let id = ChangeId::random(&self.ports.entropy);
        let of = Resource {
            kind: Kind::Point,
            id: at.id,
            tenant: self.instance.system_tenant,
            version: None,
        };
        let decide = |_: &_| {
            let mut set = ChangeSet::new(id, self.ports.clock.now());
            set.events.push(event(set.at, of, of_point(point)));
            let body = point.to_body();
            set.puts.push(self.system_put(Kind::Point, &at.id, Expected::Absent, &body));
            Ok((set, ()))
        };
        let (made, ()) = commit_known(&self.ports, &[at], decide).await?;
        Ok(made)
    }
}

/// What the event of a point says.
fn of_point(point: &RecoveryPoint) -> Attributes {
    said(&[
        ("point", &point.id.to_string()),
        ("kind", point.kind.name()),
        ("commit", &point.commit_seq.to_string()),
        ("sha256", &keystead_domain::to_hex(&point.hash)),
    ])
}
