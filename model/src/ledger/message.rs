//! The texts people sign inside arguments. Where idOS has not published a layout, the choice made is
//! written down here and nowhere else.

use super::action::{Action, DagTerms};
use crate::id::{AttributeId, CredentialId, Text, UserId, WriteGrantId};
use crate::rules::{Rules, Switch};
use crate::time::BlockTime;

/// A delegated access grant (dAG): the owner's paper that anybody may turn into a grant.
///
/// The network's own layout is not published (idos-facts 4.6); this is the line style of the earlier
/// on-chain contracts with an operation name of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct DelegatedAccessGrant<'a> {
    pub owner: &'a str,
    pub grantee: &'a str,
    pub data: CredentialId,
    pub locked_until: i64,
    pub content_hash: Option<&'a str>,
    /// Nothing on deployed networks.
    pub terms: Option<&'a DagTerms>,
}

impl<'a> DelegatedAccessGrant<'a> {
    /// The paper an action carries in, and the owner's signature under it.
    pub fn carried_by(action: &'a Action) -> Option<(DelegatedAccessGrant<'a>, &'a Text)> {
        let Action::CreateAgByDagForCopy {
            dag_owner_wallet_identifier: owner,
            dag_grantee_wallet_identifier: grantee,
            dag_data_id: data,
            dag_locked_until: locked_until,
            dag_content_hash: content_hash,
            dag_signature: signature,
            terms,
        } = action
        else {
            return None;
        };
        let dag = DelegatedAccessGrant {
            owner,
            grantee,
            data: *data,
            locked_until: *locked_until,
            content_hash: content_hash.as_deref(),
            terms: terms.as_ref(),
        };
        Some((dag, signature))
    }

    /// The text to sign, with a line for each of its terms; under `dag-names-network` it ends in the network's
    /// name.
    pub fn text(&self, rules: Rules, chain_id: &str) -> String {
        let DelegatedAccessGrant {
            owner,
            grantee,
            data,
            locked_until,
            content_hash,
            terms,
        } = self;
        let hash = content_hash.unwrap_or_default();
        let mut text = format!(
            "operation: delegatedAccessGrant\nowner: {owner}\ngrantee: {grantee}\ndataId: {data}\n\
             lockedUntil: {locked_until}\ncontentHash: {hash}"
        );
        if let Some(terms) = terms {
            text.push_str(&format!("\nnotUsableAfter: {}", terms.not_usable_after));
            let limits = [("expiresAt", terms.expires_at), ("uses", terms.uses)];
            for (name, limit) in limits {
                if let Some(limit) = limit {
                    text.push_str(&format!("\n{name}: {limit}"));
                }
            }
        }
        if rules.keep(Switch::DagNamesNetwork) {
            text.push_str(&format!("\nnetwork: {chain_id}"));
        }
        text
    }
}

/// A delegated write grant (dWG): the owner's paper under which an issuer writes once.
///
/// Fields and their order are documented; separators are those of the earlier on-chain contracts, as in the
/// dAG. Source: idos-facts 4.5.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct DelegatedWriteGrant<'a> {
    pub owner: &'a str,
    pub grantee: &'a str,
    /// Hex Ed25519 key of the issuer that may write.
    pub issuer: &'a str,
    pub id: WriteGrantId,
    /// Last second of the lock of the grant it creates, RFC 3339.
    pub timelock: &'a str,
    pub not_before: &'a str,
    pub not_after: &'a str,
}

impl<'a> DelegatedWriteGrant<'a> {
    /// The paper an action carries in, and the owner's signature under it.
    pub fn carried_by(action: &'a Action) -> Option<(DelegatedWriteGrant<'a>, &'a Text)> {
        let Action::CreateCredentialsByDwg {
            dwg_owner: owner,
            dwg_grantee: grantee,
            dwg_issuer_public_key: issuer,
            dwg_id: id,
            dwg_access_grant_timelock: timelock,
            dwg_not_before: not_before,
            dwg_not_after: not_after,
            dwg_signature: signature,
            ..
        } = action
        else {
            return None;
        };
        let dwg = DelegatedWriteGrant {
            owner,
            grantee,
            issuer,
            id: *id,
            timelock,
            not_before,
            not_after,
        };
        Some((dwg, signature))
    }

    /// The text to sign; under `dwg-names-network` it ends in the network's name.
    pub fn text(&self, rules: Rules, chain_id: &str) -> String {
        let DelegatedWriteGrant {
            owner,
            grantee,
            issuer,
            id,
            timelock,
            not_before,
            not_after,
        } = self;
        let mut text = format!(
            "operation: delegatedWriteGrant\nowner: {owner}\nconsumer: {grantee}\n\
             issuer public key: {issuer}\nid: {id}\naccess grant timelock: {timelock}\n\
             not usable before: {not_before}\nnot usable after: {not_after}"
        );
        if rules.keep(Switch::DwgNamesNetwork) {
            text.push_str(&format!("\nnetwork: {chain_id}"));
        }
        text
    }
}

/// The second an instant of a dWG names: `YYYY-MM-DDTHH:MM:SSZ`, nothing more and nothing less.
/// Source: idos-facts 3.5.
pub fn parse_date(text: &str) -> Option<BlockTime> {
    let mut shape = text.bytes().zip(b"0000-00-00T00:00:00Z");
    let fits = |(byte, like): (u8, &u8)| match like {
        b'0' => byte.is_ascii_digit(),
        like => byte == *like,
    };
    if text.len() != 20 || !shape.all(fits) {
        return None;
    }
    let instant: jiff::Timestamp = text.parse().ok()?;
    Some(BlockTime(instant.as_second()))
}

/// The inverse of [`parse_date`], for seconds before the year 10000.
pub fn write_date(second: BlockTime) -> Option<Text> {
    let instant = jiff::Timestamp::from_second(second.0).ok()?;
    Some(instant.to_string().into())
}

/// A wallet's promise that it belongs to a profile. Deployed networks accept any text here
/// (idos-facts 4.3); this layout is what `bound-ownership-proof` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct OwnershipProof<'a> {
    pub user: UserId,
    pub wallet: &'a str,
    pub chain_id: &'a str,
    /// Last second in which the proof may be used.
    pub not_after: BlockTime,
}

impl OwnershipProof<'_> {
    /// The text to sign.
    pub fn text(&self) -> String {
        let OwnershipProof {
            user,
            wallet,
            chain_id,
            not_after,
        } = self;
        format!(
            "{}{}",
            OwnershipProof::binding(*user, wallet, chain_id),
            not_after.0
        )
    }

    /// The last second of use that `text` states, when it is a proof for this profile, wallet and
    /// network.
    pub fn parse(text: &str, user: UserId, wallet: &str, chain_id: &str) -> Option<BlockTime> {
        let seconds = text.strip_prefix(&OwnershipProof::binding(user, wallet, chain_id))?;
        seconds.parse().ok().map(BlockTime)
    }

    fn binding(user: UserId, wallet: &str, chain_id: &str) -> String {
        format!(
            "operation: connectWallet\nprofile: {user}\nwallet: {wallet}\nnetwork: {chain_id}\n\
             notUsableAfter: "
        )
    }
}

/// What an owner signs when somebody else transmits a change to the profile. Only the promised rules
/// ask for it; the layout is this project's choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consent<'a> {
    /// An inserter may store this credential.
    InsertCredential {
        /// The row to be written.
        credential: CredentialId,
        /// Hex key that signed the credential.
        issuer: &'a str,
    },
    /// An inserter may store this attribute.
    InsertAttribute {
        /// The row to be written.
        attribute: AttributeId,
        /// Its key.
        key: &'a str,
        /// Its value.
        value: &'a str,
    },
    /// An inserter may set this encryption key.
    UpdateEncryptionKey {
        /// base64 X25519 public key.
        key: &'a str,
    },
}

impl Consent<'_> {
    /// The text to sign.
    pub fn text(&self, owner: UserId, chain_id: &str) -> String {
        let change = match self {
            Consent::InsertCredential { credential, issuer } => {
                format!("operation: insertCredential\ncredential: {credential}\nissuer: {issuer}")
            }
            Consent::InsertAttribute {
                attribute,
                key,
                value,
            } => {
                // As JSON, since either may hold a line break, and one text must not be two changes.
                let pair = serde_json::json!([key, value]);
                format!("operation: insertAttribute\nattribute: {attribute}\nkey and value: {pair}")
            }
            Consent::UpdateEncryptionKey { key } => {
                format!("operation: updateEncryptionKey\nkey: {key}")
            }
        };
        format!("{change}\nprofile: {owner}\nnetwork: {chain_id}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dag_text_names_the_network_when_promised() {
        let dag = DelegatedAccessGrant {
            owner: "0xA",
            grantee: "bb",
            data: CredentialId(uuid::Uuid::nil()),
            locked_until: 7,
            content_hash: None,
            terms: None,
        };
        let deployed = dag.text(Rules::deployed(), "net");
        assert!(deployed.ends_with("lockedUntil: 7\ncontentHash: "));
        assert_eq!(
            dag.text(Rules::documented(), "net"),
            format!("{deployed}\nnetwork: net")
        );
    }

    #[test]
    fn a_proof_parses_only_for_what_it_names() {
        let user = UserId(uuid::Uuid::nil());
        let proof = OwnershipProof {
            user,
            wallet: "0xA",
            chain_id: "net",
            not_after: BlockTime(9),
        };
        let text = proof.text();
        assert_eq!(
            OwnershipProof::parse(&text, user, "0xA", "net"),
            Some(BlockTime(9))
        );
        assert_eq!(OwnershipProof::parse(&text, user, "0xB", "net"), None);
        assert_eq!(OwnershipProof::parse(&text, user, "0xA", "other"), None);
        assert_eq!(OwnershipProof::parse("hello", user, "0xA", "net"), None);
    }
}
