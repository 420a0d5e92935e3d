//! The members of a household as they are stored: sealed under the department's keys.

use minsheng_kit::{error::Error, keys::Keys, values::identifiers::ResidentId};
use minsheng_proto::social_security::v1 as pb;
use prost::Message as _;

/// Place of the sealed members.
const SEALED_MEMBERS: &str = "assistance_households.members";

/// The members as they are sealed.
#[derive(Clone, PartialEq, prost::Message)]
struct StoredMembers {
    #[prost(message, repeated, tag = "1")]
    members: Vec<pb::HouseholdMember>,
}

/// Seals members.
pub(super) fn sealed(members: &[pb::HouseholdMember], keys: &Keys) -> Vec<u8> {
    keys.seal(SEALED_MEMBERS, &StoredMembers { members: members.to_vec() }.encode_to_vec())
}

/// Opens members; their identity numbers are masked unless `reveal` is set.
pub(super) fn opened(sealed: &[u8], keys: &Keys, reveal: bool) -> Result<Vec<pb::HouseholdMember>, Error> {
    let plain = keys.open(SEALED_MEMBERS, sealed)?;
    let mut members = StoredMembers::decode(plain.as_slice()).map_err(Error::internal)?.members;
    if !reveal {
        for member in &mut members {
            let resident = ResidentId::parse_stored(&member.resident_id).map_err(Error::internal)?;
            member.resident_id = resident.to_string();
        }
    }
    Ok(members)
}
