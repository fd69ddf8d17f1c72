//! The box in a user's browser that holds the encryption key: which origins may ask it, how it gets the key
//! back, and what it says to share nodes; and a share node's own side of that.
//! Source: idos-facts 4.9, 4.10, doc:enclave.

use std::collections::BTreeMap;

use super::desk::{Desk, courtesy};
use super::directory::key_text;
use super::flow::Flow;
use super::letter::{Letter, ShareAnswer};
use super::machine::Outbox;
use super::order::{Order, Task};
use crate::crypto::{BoxPublic, BoxSecret, DICTIONARY, KdfError};
use crate::history::Event;
use crate::id::{CredentialId, PartyId, Text, UserId};
use crate::rules::Switch;
use crate::shares::{
    Blinded, Commitment, Lost, Released, ShareAddress, ShareReply, ShareRequest,
    SignedShareRequest, reconstruct, split,
};
use crate::time::WallMillis;

/// Whom a user's enclave answers.
#[derive(Debug, Default)]
pub(super) struct Enclave {
    /// The origins that may ask, and whether each of their requests waits for the user.
    origins: BTreeMap<PartyId, bool>,
    /// Requests that wait for the user.
    waiting: BTreeMap<u32, CredentialId>,
}

/// An upload for one share node.
pub(super) type Upload = (PartyId, SignedShareRequest, Blinded);

impl Desk {
    /// User: lets an origin ask.
    pub(super) fn authorise(&mut self, origin: PartyId, each: bool, out: &mut Outbox) {
        self.enclave.origins.insert(origin, each);
        out.note(Event::OriginAuthorised {
            by: self.me,
            origin,
            each,
        });
    }

    /// User: the row of a request that waits, which does not wait any more.
    pub(super) fn allow(&mut self, request: u32, out: &mut Outbox) -> Option<CredentialId> {
        let credential = self.enclave.waiting.remove(&request)?;
        let by = self.me;
        out.note(Event::Allowed { by, request });
        Some(credential)
    }

    /// User: says no to a request that waits, if it does.
    pub(super) fn forbid(&mut self, request: u32) -> bool {
        self.enclave.waiting.remove(&request).is_some()
    }

    /// A page asks to see what a credential says.
    pub(super) fn on_enclave_call(
        &mut self,
        from: PartyId,
        request: u32,
        credential: CredentialId,
        out: &mut Outbox,
    ) -> Option<(Task, Flow)> {
        let Some(each) = self.enclave.origins.get(&from) else {
            out.letter(from, Letter::OriginUnknown { request });
            return None;
        };
        if *each && self.directory.rules.keep(Switch::ApprovedDisclosures) {
            self.enclave.waiting.insert(request, credential);
            return None;
        }
        let consumer = from;
        let flow = Flow::Disclose {
            credential: Some(credential),
        };
        Some((courtesy(Order::Allow { request, consumer }), flow))
    }

    /// The key that follows from a password, and its public side as the tables have it.
    pub(super) fn derive(&self, password: &str, salt: &str) -> Result<(BoxSecret, Text), KdfError> {
        let secret = self.suite.derive_key(password, salt)?;
        let public = key_text(&self.suite.box_public(&secret));
        Ok((secret, public))
    }

    /// Anybody: tries the passwords everybody tries, with nothing but the salt and the public key that every
    /// operator holds. Says after how many tries one fits.
    pub(super) fn guess(&self, of: PartyId) -> (u64, bool) {
        let card = self.directory.card(of);
        let salt = card.persona.user.to_string();
        let key = key_text(&self.box_of(of));
        let fits = |password: &&str| {
            self.derive(password, &salt)
                .is_ok_and(|(_, public)| public == key)
        };
        match DICTIONARY.iter().position(fits) {
            Some(place) => (place as u64 + 1, true),
            None => (DICTIONARY.len() as u64, false),
        }
    }

    /// One of the party's wallets as share nodes know it.
    pub(super) fn share_address(&self, wallet: u8) -> Option<String> {
        let key = self.keys.signing.get(usize::from(wallet))?;
        let kind = self.card().persona.wallet_type(wallet.into());
        ShareAddress::of(kind, &self.suite.identity(key))
    }

    /// A request to share nodes, signed by one of the party's wallets.
    pub(super) fn share_request(&self, wallet: u8, request: ShareRequest) -> SignedShareRequest {
        let key = &self.keys.signing[usize::from(wallet)];
        request.sign(&*self.suite, key, self.directory.share_contract())
    }

    /// The password in shares, one upload for each share node, for this wallet to get them back.
    pub(super) fn uploads(&mut self, wallet: u8) -> Option<Vec<Upload>> {
        let address = self.share_address(wallet)?;
        let directory = self.directory.clone();
        let about = self.card().persona.user.to_string();
        let mut noise = self.draw("share coefficients", &about);
        let secret = self.keys.password.clone();
        let shares = split(secret.as_bytes(), directory.sharing(), |bytes| {
            noise.fill(bytes);
        });
        let mut blinded = Vec::new();
        for share in shares.values() {
            let blinding = self.draw_32("share blinding", &about);
            blinded.push(Blinded::new(blinding, share));
        }
        let commitments: Vec<Commitment> = blinded.iter().map(Blinded::commitment).collect();
        let upload = ShareRequest::Upload {
            commitments,
            addresses: vec![address],
        };
        let signed = self.share_request(wallet, upload);
        let uploads = directory.share_nodes().zip(blinded);
        Some(
            uploads
                .map(|(node, share)| (node, signed.clone(), share))
                .collect(),
        )
    }

    /// User: the shares of a password that is kept before the story begins, with the share nodes to keep them.
    pub fn founding_uploads(&mut self) -> Vec<(PartyId, SignedShareRequest, Blinded)> {
        self.uploads(0).unwrap_or_default()
    }

    /// Share node: keeps a share from before the story.
    pub fn found_share(
        &mut self,
        now: WallMillis,
        user: UserId,
        signed: &SignedShareRequest,
        share: Blinded,
    ) {
        let unheard = &mut Outbox::default();
        self.keep_share(now, user, signed, Some(share), unheard);
    }

    /// Share node: answers an enclave.
    pub(super) fn keep_share(
        &mut self,
        now: WallMillis,
        user: UserId,
        signed: &SignedShareRequest,
        share: Option<Blinded>,
        out: &mut Outbox,
    ) -> ShareAnswer {
        let (suite, directory) = (self.suite.clone(), self.directory.clone());
        let point = directory.share_point(self.me);
        let node = (&*suite, directory.share_contract(), point);
        let reply = self.shares.handle(node, now, user, signed, share);
        let by = self.me;
        let address: Text = signed.request.address().unwrap_or_default().into();
        match reply {
            ShareReply::Stored | ShareReply::Changed => ShareAnswer::Done,
            ShareReply::NotStored => ShareAnswer::NotStored,
            ShareReply::Taken => ShareAnswer::Refused,
            ShareReply::Unauthorised => {
                out.note(Event::ShareRefused { by, user, address });
                ShareAnswer::Refused
            }
            ShareReply::Share(to, released) => {
                let right = self.shares.keeps(user, &released.share);
                out.note(Event::ShareReleased {
                    by,
                    user,
                    address,
                    right,
                });
                let about = user.to_string();
                let (sealed, encryptor) = self.sealed_to(&to, &about, &released.share.0);
                ShareAnswer::Share {
                    sealed,
                    encryptor,
                    commitments: released.commitments,
                }
            }
        }
    }

    /// User: the password behind the shares that came, sealed to this key, and what of them could be opened.
    pub(super) fn joined(
        &self,
        answers: &BTreeMap<PartyId, ShareAnswer>,
        ephemeral: &BoxSecret,
    ) -> (Vec<PartyId>, Result<String, Lost>) {
        let mut released = BTreeMap::new();
        let mut from = Vec::new();
        for (node, answer) in answers {
            if let ShareAnswer::Share {
                sealed,
                encryptor,
                commitments,
            } = answer
                && let Some(share) = self.suite.open(ephemeral, encryptor, sealed)
            {
                let commitments = commitments.clone();
                let share = Blinded(share);
                let point = self.directory.share_point(*node);
                released.insert(point, Released { share, commitments });
                from.push(*node);
            }
        }
        let checked = self.directory.rules.keep(Switch::CheckedShares);
        let secret = reconstruct(&released, self.directory.sharing(), checked);
        // What is no text is no password either, and makes another key.
        let text = secret.map(|secret| String::from_utf8_lossy(&secret).into_owned());
        (from, text)
    }

    /// A one-time key to have shares sealed to.
    pub(super) fn ephemeral(&mut self) -> (BoxSecret, BoxPublic) {
        let about = self.card().persona.user.to_string();
        let secret = BoxSecret(self.draw_32("share download", &about));
        let public = self.suite.box_public(&secret);
        (secret, public)
    }
}
