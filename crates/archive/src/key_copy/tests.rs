//! Key copies open to what was put in, under their own epoch alone, and no altered bit passes.

use keystead_crypto::{OpenFailed, hash::sha256};

use super::*;
use crate::testing::World;

fn fields(world: &World) -> KeyCopyFields {
    KeyCopyFields {
        instance: world.instance,
        tenant: world.tenant,
        kind: CopyKind::TenantKey,
        key: KeyId::from_bytes([3; 16]),
        version: VersionId::from_bytes([4; 8]),
        version_number: 1,
        algorithm: Algorithm::Aes256Gcm,
        epoch: world.epoch,
        recipient_set_hash: [5; 32],
        created_at: world.now,
    }
}

fn material() -> Secret<32> {
    Secret::from_slice(&[0xA5; 32]).unwrap()
}

fn copy(world: &World) -> Vec<u8> {
    let public = world.epoch_seed.public();
    KeyCopy::make(&world.entropy, &world.signer(), &public, &fields(world), &material()).unwrap()
}

#[test]
fn a_copy_opens_to_its_material_under_its_epoch_alone() {
    let world = World::new(1);
    let bytes = copy(&world);
    let root = world.root.public();
    let header = KeyCopy::read(&bytes, &root).unwrap();
    assert_eq!(header.fields, fields(&world));
    let opened = KeyCopy::open(&bytes, &root, &world.epoch_seed).unwrap();
    assert_eq!(opened.header, header);
    assert!(opened.material.same_as(&material()));
    let other = RecipientSeed::random(&world.entropy);
    let found = KeyCopy::open(&bytes, &root, &other).unwrap_err();
    assert_eq!(found, ObjectRefused::Sealed(OpenFailed));
    assert!(KeyCopy::read(&bytes, &World::new(2).root.public()).is_err());
}

#[test]
fn every_altered_bit_is_refused_without_any_key() {
    let world = World::new(1);
    let bytes = copy(&world);
    let root = world.root.public();
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(KeyCopy::read(&altered, &root).is_err(), "bit {bit}");
    }
}

#[test]
fn every_altered_byte_that_a_node_signed_anew_is_refused_when_opened() {
    let world = World::new(1);
    let (signer, public) = (world.signer(), world.epoch_seed.public());
    let made = fields(&world);
    let bytes = KeyCopy::make(&world.entropy, &signer, &public, &made, &material()).unwrap();
    let frame = Frame::parse(&bytes).unwrap();
    let written = frame.header_of_body().unwrap();
    let root = world.root.public();
    let opened = |at: usize, mask: u8| {
        let mut parts = [written, frame.body].concat();
        parts[at] ^= mask;
        let (header, body) = parts.split_at(written.len());
        let signed = frame::sign_with_body(ObjectType::KeyCopy, header, body, signer.objects());
        KeyCopy::open(&signed, &root, &world.epoch_seed)
    };
    assert!(opened(0, 0).is_ok());
    let mut unopened = 0;
    for at in 0..written.len() + frame.body.len() {
        // A decapsulation costs a millisecond; without a key every bit is flipped above.
        let refused = opened(at, 1 << (at % 8)).unwrap_err();
        unopened += usize::from(refused == ObjectRefused::Sealed(OpenFailed));
    }
    assert!(unopened >= frame.body.len(), "the box itself is authentic: {unopened}");
}

#[test]
fn every_cut_and_every_added_byte_is_refused() {
    let world = World::new(1);
    let bytes = copy(&world);
    let root = world.root.public();
    for len in 0..bytes.len() {
        assert!(KeyCopy::read(&bytes[..len], &root).is_err(), "cut at {len}");
    }
    assert!(KeyCopy::read(&[&bytes[..], &[0]].concat(), &root).is_err());
}

#[test]
fn a_body_that_fits_another_header_is_refused_with_its_digest_made_right() {
    let world = World::new(1);
    let signer = world.signer();
    let public = world.epoch_seed.public();
    let make = |fields: &KeyCopyFields| {
        KeyCopy::make(&world.entropy, &signer, &public, fields, &material()).unwrap()
    };
    let (one, two) = (fields(&world), KeyCopyFields { version_number: 2, ..fields(&world) });
    let (one, two) = (make(&one), make(&two));
    let (one, two) = (Frame::parse(&one).unwrap(), Frame::parse(&two).unwrap());
    let written = one.header_of_body().unwrap();
    let swapped = frame::sign_with_body(ObjectType::KeyCopy, written, two.body, signer.objects());
    let root = world.root.public();
    assert!(KeyCopy::read(&swapped, &root).is_ok());
    let found = KeyCopy::open(&swapped, &root, &world.epoch_seed).unwrap_err();
    assert_eq!(found, ObjectRefused::Sealed(OpenFailed));
}

#[test]
fn a_signed_header_that_lies_about_its_material_is_found_when_opened() {
    let world = World::new(1);
    let signer = world.signer();
    let header = CopyHeader {
        fields: fields(&world),
        key_check: sha256(b"another material"),
        certificate: signer.certificate_bytes().to_vec(),
    };
    let sealed = |plain: &[u8]| {
        let written = header.to_bytes();
        let public = world.epoch_seed.public();
        let body = public.seal(&world.entropy, &copy_info(&written), &[], plain);
        frame::sign_with_body(ObjectType::KeyCopy, &written, &body, signer.objects())
    };
    let opened =
        |bytes: &[u8]| KeyCopy::open(bytes, &world.root.public(), &world.epoch_seed).unwrap_err();
    let honest = plain(&fields(&world), &material());
    assert_eq!(opened(&sealed(&honest)), ObjectRefused::OtherMaterial);
    let other_key = KeyCopyFields { key: KeyId::from_bytes([9; 16]), ..fields(&world) };
    let other_key = plain(&other_key, &material());
    assert_eq!(opened(&sealed(&other_key)), ObjectRefused::OtherMaterial);
}

#[test]
fn a_kind_with_the_wrong_algorithm_or_a_foreign_node_makes_no_copy() {
    let world = World::new(1);
    let public = world.epoch_seed.public();
    let made = |signer: &NodeSigner, fields: &KeyCopyFields| {
        KeyCopy::make(&world.entropy, signer, &public, fields, &material())
    };
    let signer = world.signer();
    for (kind, algorithm) in [
        (CopyKind::RootSigning, Algorithm::Aes256Gcm),
        (CopyKind::TenantSigning, Algorithm::EcdsaP256),
        (CopyKind::TenantBackup, Algorithm::EcdsaP256),
        (CopyKind::MasterKey, Algorithm::Ed25519),
        (CopyKind::TenantAudit, Algorithm::Aes256Gcm),
    ] {
        let wrong = KeyCopyFields { kind, algorithm, ..fields(&world) };
        let found = made(&signer, &wrong);
        assert_eq!(found, Err(Malformed::BadValue { field: "algorithm" }));
    }
    let foreign = World::new(2).signer();
    assert!(made(&foreign, &fields(&world)).is_err());
    assert!(made(&signer, &KeyCopyFields { version_number: 0, ..fields(&world) }).is_err());
}

#[test]
fn a_copy_of_every_algorithm_opens_as_it_was_made() {
    let world = World::new(1);
    let (signer, public) = (world.signer(), world.epoch_seed.public());
    for spec in KeySpec::ALL {
        let made = KeyCopyFields { algorithm: Algorithm::from(*spec), ..fields(&world) };
        assert_eq!(made.algorithm as u16, spec.number());
        let copy = KeyCopy::make(&world.entropy, &signer, &public, &made, &material()).unwrap();
        let opened = KeyCopy::open(&copy, &world.root.public(), &world.epoch_seed).unwrap();
        assert_eq!(opened.header.fields, made);
        assert!(opened.material.same_as(&material()));
    }
}

#[test]
fn what_is_no_scalar_of_p256_makes_no_copy_and_opens_as_none() {
    let world = World::new(1);
    let (signer, public) = (world.signer(), world.epoch_seed.public());
    let made = KeyCopyFields { algorithm: Algorithm::EcdsaP256, ..fields(&world) };
    for unlawful in [[0; 32], [0xff; 32]] {
        let material = Secret::from_slice(&unlawful).unwrap();
        let refused = KeyCopy::make(&world.entropy, &signer, &public, &made, &material);
        assert_eq!(refused, Err(Malformed::BadValue { field: "material" }));
        let header = CopyHeader {
            fields: made.clone(),
            key_check: check_value(&made, &material),
            certificate: signer.certificate_bytes().to_vec(),
        };
        let written = header.to_bytes();
        let body = public.seal(&world.entropy, &copy_info(&written), &[], &plain(&made, &material));
        let copy = frame::sign_with_body(ObjectType::KeyCopy, &written, &body, signer.objects());
        let found = KeyCopy::open(&copy, &world.root.public(), &world.epoch_seed).unwrap_err();
        assert_eq!(found, ObjectRefused::OtherMaterial);
    }
}
