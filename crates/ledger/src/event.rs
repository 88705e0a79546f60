//! What the record says happened: one value, one encoding (`docs/formats/ledger-leaf.md`).
//!
//! Invariant: what encodes decodes to an equal event and nothing else decodes. Ids are bare bytes
//! here, for the ledger must be readable by a program that knows no rule of Keystead's.

use keystead_crypto::bytes::{Malformed, Reader, Writer};
use thiserror::Error;

use crate::{Attributes, LEAF_BYTES, Leaf};

pub(crate) const VERSION: u8 = 1;
const USE: u8 = 1;
pub(crate) const STATE: u8 = 2;
const NODE: u8 = 3;

/// Why an event has no encoding.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EventRefused {
    /// It is longer than a leaf may be.
    #[error("the event has {len_bytes} bytes; a leaf has at most {LEAF_BYTES}")]
    TooLong {
        /// Its length.
        len_bytes: usize,
    },
    /// A use or a change without a request.
    #[error("only an event of the node may lack a request id")]
    NoRequest,
    /// A place that no state event has.
    #[error("no state event has the place {commit_seq}, {index}")]
    Place {
        /// The commit.
        commit_seq: u64,
        /// The event within it.
        index: u16,
    },
    /// An error kind of 0, which means success.
    #[error("an error kind is not 0")]
    Outcome,
    /// Not 1 to 64 letters and digits with a letter first.
    #[error("`{text}` is not the name of an operation")]
    Operation {
        /// What was given.
        text: String,
    },
    /// An attribute with an unlawful name or value, or one too many.
    #[error("the attribute `{name}` has a name or value that none can have, or is one too many")]
    Attribute {
        /// Its name.
        name: String,
    },
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A key was used, or the use was refused.
    Use {
        /// The keyring's revision that it was decided at.
        keyring_revision: u64,
        /// What happened.
        act: Act,
    },
    /// Something changed.
    State {
        /// Where the change stands in the order of commits.
        place: StatePlace,
        /// What happened.
        act: Act,
    },
    /// The node itself: starts, stops, root acts, summaries, the first entry of an origin.
    Node {
        /// What happened.
        act: Act,
    },
}

/// Where a state event stands: events of one change stand together, changes in commit order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatePlace {
    /// The commit; the first is 1.
    pub commit_seq: u64,
    /// The event within the change, from 0 to 65,534.
    pub index: u16,
}

impl StatePlace {
    /// Whether an event can stand there.
    #[must_use]
    pub const fn is_lawful(self) -> bool {
        self.commit_seq > 0 && self.index < u16::MAX
    }
}

/// A state event whose commit is not known yet; a change set carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateEvent {
    /// What happened.
    pub act: Act,
}

/// What is common to all events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Microseconds since the Unix epoch.
    pub at: i64,
    /// The request, or the run of a job. Only node events may lack it.
    pub request: Option<[u8; 16]>,
    /// Whose resource it is.
    pub tenant: Option<[u8; 16]>,
    /// Who acted; absent where nobody was authenticated.
    pub principal: Option<[u8; 16]>,
    /// Through which door it came.
    pub front: Front,
    /// What was asked.
    pub operation: Operation,
    /// Of what.
    pub resource: Option<Resource>,
    /// Of which key version.
    pub key_version: Option<[u8; 8]>,
    /// What came of it.
    pub outcome: Outcome,
    /// HMAC of the address that it came from.
    pub source: Option<[u8; 32]>,
    /// What else there is to say.
    pub attributes: Attributes,
}

/// The door through which a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// The AWS protocol.
    Aws,
    /// `/v1`.
    Native,
    /// A command that works on the data folder.
    Local,
    /// A job of the service.
    Job,
}

/// An aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    /// The number of its kind.
    pub kind: u16,
    /// Its id.
    pub id: [u8; 16],
}

/// What came of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Succeeded,
    /// It was not allowed or not lawful.
    Refused {
        /// The number of the error kind, 1 to 255.
        error_kind: u8,
    },
    /// It was allowed and did not succeed.
    Failed {
        /// The number of the error kind, 1 to 255.
        error_kind: u8,
    },
}

/// The name of an operation: `Encrypt`, `CreateKey`, `NodeStarted`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation(String);

impl Operation {
    /// From 1 to 64 ASCII letters and digits, a letter first.
    ///
    /// # Errors
    /// [`EventRefused::Operation`].
    pub fn new(text: &str) -> Result<Self, EventRefused> {
        let lawful = text.len() <= 64
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|c| c.is_ascii_alphanumeric());
        lawful
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| EventRefused::Operation { text: text.to_owned() })
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Event {
    /// What happened, whatever the kind.
    #[must_use]
    pub fn act(&self) -> &Act {
        match self {
            Self::Use { act, .. } | Self::State { act, .. } | Self::Node { act } => act,
        }
    }

    /// The leaf of this event.
    ///
    /// # Errors
    /// [`EventRefused`] where it has none.
    pub fn encode(&self) -> Result<Leaf, EventRefused> {
        if let Self::State { place, .. } = self
            && !place.is_lawful()
        {
            let StatePlace { commit_seq, index } = *place;
            return Err(EventRefused::Place { commit_seq, index });
        }
        encode(self).map(Leaf::trusted)
    }

    /// Reads a leaf.
    ///
    /// # Errors
    /// [`Malformed`] for all that [`Event::encode`] does not write.
    pub fn decode(leaf: &[u8]) -> Result<Self, Malformed> {
        match decode(leaf)? {
            Self::State { place, .. } if !place.is_lawful() => Err(BAD_PLACE),
            event => Ok(event),
        }
    }
}

impl StateEvent {
    /// The bytes that a change set carries.
    ///
    /// # Errors
    /// [`EventRefused`] where the event has no encoding.
    pub fn encode_unplaced(&self) -> Result<Vec<u8>, EventRefused> {
        encode(&Event::State { place: UNPLACED, act: self.act.clone() })
    }

    /// Reads what [`StateEvent::encode_unplaced`] wrote.
    ///
    /// # Errors
    /// [`Malformed`] for everything else, placed events included.
    pub fn decode_unplaced(bytes: &[u8]) -> Result<Self, Malformed> {
        match decode(bytes)? {
            Event::State { place: UNPLACED, act } => Ok(Self { act }),
            Event::State { .. } => Err(BAD_PLACE),
            _ => Err(Malformed::BadValue { field: "kind" }),
        }
    }
}

const UNPLACED: StatePlace = StatePlace { commit_seq: 0, index: 0 };
const BAD_PLACE: Malformed = Malformed::BadValue { field: "place" };

/// What the event of a use comes to, mostly.
const USUAL_BYTES: usize = 256;

fn encode(event: &Event) -> Result<Vec<u8>, EventRefused> {
    let mut w = Writer::with_capacity(USUAL_BYTES);
    w.u8(VERSION);
    match event {
        Event::Use { keyring_revision, .. } => w.u8(USE).u64(*keyring_revision),
        Event::State { place, .. } => w.u8(STATE).u64(place.commit_seq).u16(place.index),
        Event::Node { .. } => w.u8(NODE),
    };
    if event.act().request.is_none() && !matches!(event, Event::Node { .. }) {
        return Err(EventRefused::NoRequest);
    }
    event.act().write(&mut w)?;
    let bytes = w.finish();
    if bytes.len() > LEAF_BYTES {
        return Err(EventRefused::TooLong { len_bytes: bytes.len() });
    }
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<Event, Malformed> {
    if bytes.len() > LEAF_BYTES {
        return Err(Malformed::BadValue { field: "leaf length" });
    }
    let mut r = Reader::new(bytes);
    let found = r.u8()?;
    if found != VERSION {
        let (found, known) = (u16::from(found), u16::from(VERSION));
        return Err(Malformed::Version { what: "ledger leaf", found, known });
    }
    let event = read_kind(&mut r)?;
    r.finish()?;
    if event.act().request.is_none() && !matches!(event, Event::Node { .. }) {
        return Err(Malformed::BadValue { field: "request" });
    }
    Ok(event)
}

fn read_kind(r: &mut Reader<'_>) -> Result<Event, Malformed> {
    Ok(match r.u8()? {
        USE => Event::Use { keyring_revision: r.u64()?, act: Act::read(r)? },
        STATE => {
            let place = StatePlace { commit_seq: r.u64()?, index: r.u16()? };
            Event::State { place, act: Act::read(r)? }
        }
        NODE => Event::Node { act: Act::read(r)? },
        _ => return Err(Malformed::BadValue { field: "kind" }),
    })
}

impl Act {
    fn write(&self, w: &mut Writer) -> Result<(), EventRefused> {
        w.i64(self.at);
        for id in [&self.request, &self.tenant, &self.principal] {
            put_option(w, id.as_ref());
        }
        w.u8(self.front.number()).text(self.operation.as_str());
        w.option(self.resource, |w, resource| {
            w.u16(resource.kind).raw(&resource.id);
        });
        put_option(w, self.key_version.as_ref());
        self.outcome.write(w)?;
        put_option(w, self.source.as_ref());
        self.attributes.write(w);
        Ok(())
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            at: r.i64()?,
            request: r.option("request", Reader::array)?,
            tenant: r.option("tenant", Reader::array)?,
            principal: r.option("principal", Reader::array)?,
            front: Front::read(r)?,
            operation: Operation::new(r.text("operation")?)
                .map_err(|_| Malformed::BadValue { field: "operation" })?,
            resource: r.option("resource", |r| Ok(Resource { kind: r.u16()?, id: r.array()? }))?,
            key_version: r.option("key version", Reader::array)?,
            outcome: Outcome::read(r)?,
            source: r.option("source", Reader::array)?,
            attributes: Attributes::read(r)?,
        })
    }
}

fn put_option<const N: usize>(w: &mut Writer, value: Option<&[u8; N]>) {
    w.option(value, |w, bytes| {
        w.raw(bytes);
    });
}

impl Front {
    const fn number(self) -> u8 {
        match self {
            Self::Aws => 1,
            Self::Native => 2,
            Self::Local => 3,
            Self::Job => 4,
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match r.u8()? {
            1 => Self::Aws,
            2 => Self::Native,
            3 => Self::Local,
            4 => Self::Job,
            _ => return Err(Malformed::BadValue { field: "front" }),
        })
    }
}

impl Outcome {
    fn write(self, w: &mut Writer) -> Result<(), EventRefused> {
        let (number, kind) = match self {
            Self::Succeeded => {
                w.u8(0);
                return Ok(());
            }
            Self::Refused { error_kind } => (1, error_kind),
            Self::Failed { error_kind } => (2, error_kind),
        };
        w.u8(number).u8(kind);
        if kind == 0 { Err(EventRefused::Outcome) } else { Ok(()) }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let bad = Malformed::BadValue { field: "outcome" };
        let number = r.u8()?;
        if number == 0 {
            return Ok(Self::Succeeded);
        }
        match (number, r.u8()?) {
            (1 | 2, 0) => Err(bad),
            (1, error_kind) => Ok(Self::Refused { error_kind }),
            (2, error_kind) => Ok(Self::Failed { error_kind }),
            _ => Err(bad),
        }
    }
}

#[cfg(test)]
mod tests;
