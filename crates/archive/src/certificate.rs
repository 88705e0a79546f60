//! Lets a node sign for the root during one incarnation: its certificate and its signing half.
//!
//! Invariant: a certificate is root-signed and names one node of one incarnation; whatever a node
//! signs carries it whole, so that the root's public key alone verifies any object of any year.

use keystead_crypto::{
    NoteKey, NotePublic, SigningKey, VerifyingKey,
    bytes::{Malformed, Reader, Writer},
};
use keystead_domain::{IncarnationId, InstanceId, NodeId, Timestamp};

use crate::{
    ObjectRefused, ObjectType,
    frame::Frame,
    record::{self, Record},
};

/// What the root says about a node's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeCertificate {
    /// Of which instance.
    pub instance: InstanceId,
    /// For which life of it.
    pub incarnation: IncarnationId,
    /// Which node.
    pub node: NodeId,
    /// Verifies its segments, recovery points and key copies.
    pub objects_key: VerifyingKey,
    /// Verifies its ledger checkpoints.
    pub checkpoints_key: NotePublic,
    /// When the root signed.
    pub issued_at: Timestamp,
}

impl NodeCertificate {
    /// Signs it as the root.
    ///
    /// # Errors
    /// None today; every root-signed record has the same form.
    pub fn issue(&self, root: &SigningKey) -> Result<Vec<u8>, Malformed> {
        record::issue(self, root)
    }

    /// Verifies one under the root's key.
    ///
    /// # Errors
    /// [`ObjectRefused`].
    pub fn verify(bytes: &[u8], root: &VerifyingKey) -> Result<Self, ObjectRefused> {
        record::verify(bytes, root)
    }
}

impl Record for NodeCertificate {
    const OBJECT: ObjectType = ObjectType::NodeCertificate;

    fn write(&self, w: &mut Writer) {
        self.instance.write(w);
        self.incarnation.write(w);
        self.node.write(w);
        w.raw(&self.objects_key.0).raw(&self.checkpoints_key.0);
        record::write_time(w, self.issued_at);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            instance: InstanceId::read(r)?,
            incarnation: IncarnationId::read(r)?,
            node: NodeId::read(r)?,
            objects_key: VerifyingKey(r.array()?),
            checkpoints_key: NotePublic(r.array()?),
            issued_at: record::read_time(r)?,
        })
    }
}

/// A node that can sign objects: its certificate and the private half that the certificate names.
#[derive(Debug)]
pub struct NodeSigner {
    certificate: NodeCertificate,
    bytes: Vec<u8>,
    objects: SigningKey,
    checkpoints: NoteKey,
}

impl NodeSigner {
    /// Joins a certificate, as the root signed it, with its private halves.
    ///
    /// # Errors
    /// [`ObjectRefused::OtherNode`] where they do not belong together.
    pub fn new(
        certificate: Vec<u8>,
        objects: SigningKey,
        checkpoints: NoteKey,
    ) -> Result<Self, ObjectRefused> {
        let object = ObjectType::NodeCertificate;
        let parsed: NodeCertificate =
            record::parse_header(Frame::parse_as(&certificate, object)?.header)?;
        let fits = parsed.objects_key == objects.public()
            && parsed.checkpoints_key == checkpoints.public();
        match fits {
            true => Ok(Self { certificate: parsed, bytes: certificate, objects, checkpoints }),
            false => Err(ObjectRefused::OtherNode { object }),
        }
    }

    /// What the root said.
    #[must_use]
    pub fn certificate(&self) -> &NodeCertificate {
        &self.certificate
    }

    /// The certificate as the root signed it.
    #[must_use]
    pub fn certificate_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Signs something that is no vault object, as this node: the public status record.
    #[must_use]
    pub fn sign(&self, what: &str, bytes: &[u8]) -> keystead_crypto::Signature {
        self.objects.sign(what, bytes)
    }

    /// Signs checkpoints of the node's ledger, and nothing else.
    #[must_use]
    pub fn checkpoints(&self) -> &NoteKey {
        &self.checkpoints
    }

    pub(crate) fn objects(&self) -> &SigningKey {
        &self.objects
    }
}

/// Verifies an object that a node signed, by the certificate that it carries.
pub(crate) fn verify_by_node(
    frame: &Frame<'_>,
    certificate: &[u8],
    instance: InstanceId,
    root: &VerifyingKey,
) -> Result<NodeCertificate, ObjectRefused> {
    let certificate = NodeCertificate::verify(certificate, root)?;
    frame.verify(&certificate.objects_key)?;
    match certificate.instance == instance {
        true => Ok(certificate),
        false => Err(ObjectRefused::OtherNode { object: frame.object }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[test]
    fn a_certificate_holds_under_its_root_alone() {
        let world = World::new(1);
        let signer = world.signer();
        let read = NodeCertificate::verify(signer.certificate_bytes(), &world.root.public());
        assert_eq!(read.as_ref(), Ok(signer.certificate()));
        let object = ObjectType::NodeCertificate;
        assert_eq!(
            NodeCertificate::verify(signer.certificate_bytes(), &World::new(2).root.public()),
            Err(ObjectRefused::BadSignature { object })
        );
    }

    #[test]
    fn a_private_half_that_the_certificate_does_not_name_makes_no_signer() {
        let world = World::new(1);
        let bytes = world.signer().certificate_bytes().to_vec();
        let other = SigningKey::from_seed(world.entropy.secret());
        let object = ObjectType::NodeCertificate;
        let checkpoints = NoteKey::from_seed(world.entropy.secret());
        let found = NodeSigner::new(bytes, other, checkpoints).unwrap_err();
        assert_eq!(found, ObjectRefused::OtherNode { object });
    }
}
