//! GenerateRandom: bytes from the same source as keys.

use zeroize::Zeroizing;

use super::{Use, data_key::check_bytes};
use crate::{
    Cx, Error, GenerateRandom, RandomBytes, Run,
    door::{Approved, Resource},
    keyring::Snapshot,
    service::Service,
};

impl Use for GenerateRandom {
    const OPERATION: &'static str = "GenerateRandom";
    type Done = RandomBytes;

    fn resolve(&self, cx: &Cx, _: &Snapshot) -> Result<Resource, Error> {
        check_bytes("numberOfBytes", self.bytes)?;
        Ok(Resource::tenant(cx.principal.tenant))
    }

    fn run(&self) -> Run {
        Run::ForReal
    }

    async fn act(
        service: &Service,
        _: &Cx,
        _: &Snapshot,
        approved: Approved<Self>,
    ) -> Result<RandomBytes, Error> {
        let (command, _, _) = approved.into_parts();
        let mut bytes = Zeroizing::new(vec![0; command.bytes]);
        service.ports.entropy.fill(&mut bytes);
        Ok(RandomBytes { bytes })
    }
}
