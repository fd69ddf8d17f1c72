//! Attributes of profiles.

use super::chronicle::{Chronicle, View};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::id::{AttributeId, UserId};
use crate::ledger::{Action, Answer, Query};

pub(super) const ATTRIBUTES_ARE_THE_OWNERS: Invariant = Invariant {
    name: "attributes-are-the-owners",
    claim: "an inserter adds an attribute only with the owner's signature, only own originals are linked to, \
            and the owner's listing shows them all",
    source: "doc:legal-basis-for-profile-creation; schema:share_attribute; doc:faqs-users",
    requirements: &["ATTR-01", "CRED-06", "DASH-01"],
    check: attributes_are_the_owners,
};

fn attributes_are_the_owners(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for deed in chronicle.accepted() {
        match deed.action {
            Action::AddAttributeAsInserter {
                user_id, consent, ..
            } => tally.test("CRED-06", consent.is_some(), || {
                let (who, owner) = (
                    chronicle.name_of(&deed.caller),
                    chronicle.name_of_user(*user_id),
                );
                let sentence = format!("{who} wrote an attribute into the profile of {owner}");
                (sentence, vec![deed.seen])
            }),
            Action::ShareAttribute {
                original_attribute_id: original,
                ..
            } => {
                let mut lives = chronicle.attributes.get(original).into_iter().flatten();
                let own = lives.any(|fact| {
                    fact.span.stood_before(deed)
                        && Some(fact.owner) == deed.own
                        && fact.original.is_none()
                });
                tally.test("ATTR-01", own, || {
                    let who = chronicle.name_of(&deed.caller);
                    let sentence =
                        format!("{who} linked to attribute {original}, no original of its own");
                    (sentence, vec![deed.seen])
                });
            }
            _ => {}
        }
    }
    for view in &chronicle.views {
        if let (Query::GetAttributes {}, Ok(Answer::Attributes(rows))) = (view.query, view.result) {
            let own = view
                .caller
                .and_then(|caller| chronicle.user_of(&caller, view.height));
            let listed: Vec<AttributeId> = rows.iter().map(|row| row.id).collect();
            if let Some(own) = own {
                listing(chronicle, view, own, &listed, &mut tally);
            }
        }
    }
    tally.verdict("nobody wrote, linked or listed attributes")
}

fn listing(
    chronicle: &Chronicle<'_>,
    view: &View<'_>,
    own: UserId,
    listed: &[AttributeId],
    tally: &mut Tally,
) {
    for (id, lives) in &chronicle.attributes {
        let there = lives
            .iter()
            .find(|fact| fact.owner == own && fact.span.lives_at(view.height));
        let is_listed = listed.contains(id);
        if there.is_none() && !is_listed {
            continue;
        }
        tally.test("DASH-01", there.is_some() == is_listed, || {
            let (node, height) = (view.node, view.height);
            let sentence = match there {
                Some(_) => format!("{node} left attribute {id} out at height {height}"),
                None => {
                    format!("{node} lists attribute {id} at height {height}, which is not there")
                }
            };
            let born = lives.first().map(|fact| fact.seen);
            (sentence, born.into_iter().chain([view.seen]).collect())
        });
    }
}
