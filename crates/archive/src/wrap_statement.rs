//! How many wrap records a tenant has at one moment, signed by a node: what makes an export whole.
//!
//! Invariant: count and chain are of one moment, and the certificate inside says which node of
//! which incarnation spoke. See `docs/formats/wrap-export.md`.

use keystead_crypto::{
    VerifyingKey,
    bytes::{Malformed, Reader, Writer},
};
use keystead_domain::{IncarnationId, InstanceId, TenantId, Timestamp};

use crate::{
    NodeCertificate, NodeSigner, ObjectRefused, ObjectType,
    certificate::verify_by_node,
    frame::{self, Frame},
    record::{self, Record},
};

/// What a node says of a tenant's wrap records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrapStatement {
    /// Of which instance.
    pub instance: InstanceId,
    /// Of which life of it.
    pub incarnation: IncarnationId,
    /// Whose records.
    pub tenant: TenantId,
    /// How many there are.
    pub count: u64,
    /// The chain over them.
    pub chain: [u8; 32],
    /// When.
    pub at: Timestamp,
}

impl WrapStatement {
    /// Signs it as a node.
    ///
    /// # Errors
    /// [`Malformed::BadValue`] where the node is of another incarnation.
    pub fn issue(&self, signer: &NodeSigner) -> Result<Vec<u8>, Malformed> {
        if !self.is_by(signer.certificate()) {
            return Err(Malformed::BadValue { field: "incarnation" });
        }
        let certificate = signer.certificate_bytes().to_vec();
        let header = record::header(&Header { statement: self.clone(), certificate });
        Ok(frame::sign(ObjectType::WrapStatement, &header, signer.objects()))
    }

    /// Verifies one under the root's key, by the certificate that it carries.
    ///
    /// # Errors
    /// [`ObjectRefused`].
    pub fn verify(bytes: &[u8], root: &VerifyingKey) -> Result<Self, ObjectRefused> {
        let frame = Frame::parse_as(bytes, ObjectType::WrapStatement)?;
        let Header { statement, certificate } = record::parse_header(frame.header)?;
        let node = verify_by_node(&frame, &certificate, statement.instance, root)?;
        match statement.is_by(&node) {
            true => Ok(statement),
            false => Err(ObjectRefused::OtherNode { object: frame.object }),
        }
    }

    fn is_by(&self, node: &NodeCertificate) -> bool {
        (node.instance, node.incarnation) == (self.instance, self.incarnation)
    }
}

/// The header: the statement and the certificate of the node that signs it.
#[derive(Debug)]
pub(crate) struct Header {
    statement: WrapStatement,
    certificate: Vec<u8>,
}

impl Record for Header {
    const OBJECT: ObjectType = ObjectType::WrapStatement;

    fn write(&self, w: &mut Writer) {
        let said = &self.statement;
        said.instance.write(w);
        said.incarnation.write(w);
        said.tenant.write(w);
        w.u64(said.count).raw(&said.chain);
        record::write_time(w, said.at);
        w.bytes(&self.certificate);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let statement = WrapStatement {
            instance: InstanceId::read(r)?,
            incarnation: IncarnationId::read(r)?,
            tenant: TenantId::read(r)?,
            count: r.u64()?,
            chain: r.array()?,
            at: record::read_time(r)?,
        };
        Ok(Self { statement, certificate: r.bytes()?.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    fn statement(world: &World) -> WrapStatement {
        let node = world.signer().certificate().clone();
        WrapStatement {
            instance: node.instance,
            incarnation: node.incarnation,
            tenant: TenantId::from_bytes([1; 16]),
            count: 3,
            chain: [2; 32],
            at: Timestamp::from_micros(4),
        }
    }

    #[test]
    fn a_statement_holds_under_its_root_alone_and_in_every_byte() {
        let world = World::new(1);
        let said = statement(&world);
        let bytes = said.issue(&world.signer()).unwrap();
        let root = world.root.public();
        assert_eq!(WrapStatement::verify(&bytes, &root), Ok(said));
        assert!(WrapStatement::verify(&bytes, &World::new(2).root.public()).is_err());
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            assert!(WrapStatement::verify(&altered, &root).is_err(), "byte {at}");
            assert!(WrapStatement::verify(&bytes[..at], &root).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_node_speaks_for_its_own_incarnation_alone() {
        let world = World::new(1);
        let other = IncarnationId::from_bytes([9; 16]);
        let said = WrapStatement { incarnation: other, ..statement(&world) };
        assert!(said.issue(&world.signer()).is_err());
    }
}
