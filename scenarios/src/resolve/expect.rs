//! How a story writes the end of a step.

use assay_model::chain::Revert;
use assay_model::history::{Doubt, Ending};
use assay_model::ledger::Refusal;
use assay_model::node::Rejected;

use super::Resolver;
use crate::file::At;
use crate::names::suggest;
use crate::plan::Expect;

/// The reader's own verdict on a node that asks for proof of a claim; the mempool knows nothing of it.
const CLAIM_REFUSED: &str = "claim-refused";

const FORMS: &str = "an expectation is accepted, denied, unanswered, anything,\n\
                     or `refused: CODE`, `rejected: CODE`, `declined: CODE`";
const WORDS: &[&str] = &[
    "accepted",
    "denied",
    "unanswered",
    "anything",
    "refused",
    "rejected",
    "declined",
];

impl Resolver<'_> {
    pub(super) fn expect(&mut self, text: &At<String>) -> Option<Expect> {
        let (word, code) = match text.get().split_once(':') {
            Some((word, code)) => (word.trim(), Some(code.trim())),
            None => (text.get().trim(), None),
        };
        let plain = match word {
            "accepted" => Some(Expect::Ending(Ending::Accepted)),
            "denied" => Some(Expect::Ending(Ending::Denied)),
            "unanswered" => Some(Expect::Ending(Ending::Unanswered)),
            "anything" => Some(Expect::Anything),
            "refused" | "rejected" | "declined" => None,
            _ => {
                self.complain(
                    text,
                    format!("unknown expectation `{word}`"),
                    "not an ending",
                )
                .advise(match crate::names::closest(word, WORDS) {
                    Some(meant) => format!("did you mean `{meant}`?\n{FORMS}"),
                    None => FORMS.to_owned(),
                });
                return None;
            }
        };
        match (plain, code) {
            (Some(_), Some(_)) => {
                self.complain(
                    text,
                    format!("`{word}` takes no code"),
                    "nothing may follow",
                )
                .advise(FORMS);
                None
            }
            (Some(expect), None) => Some(expect),
            (None, None | Some("")) => {
                self.complain(text, format!("`{word}` lacks a code"), "no code here")
                    .advise(suggest("", &codes(word)));
                None
            }
            (None, Some(code)) => self.ending(text, word, code).map(Expect::Ending),
        }
    }

    fn ending(&mut self, text: &At<String>, word: &str, code: &str) -> Option<Ending> {
        let known = codes(word);
        let Some(code) = known.iter().copied().find(|one| *one == code) else {
            self.complain(
                text,
                format!("unknown code `{code}`"),
                format!("nothing is {word} so"),
            )
            .advise(suggest(code, &known));
            return None;
        };
        Some(match word {
            "refused" => Ending::Refused(code),
            "rejected" => Ending::Rejected(code),
            _ => Ending::Declined(code),
        })
    }
}

fn codes(word: &str) -> Vec<&'static str> {
    match word {
        "refused" => {
            // The ledger and the contracts call some things alike.
            let contracts = Revert::CODES
                .iter()
                .filter(|code| !Refusal::CODES.contains(code));
            Refusal::CODES.iter().chain(contracts).copied().collect()
        }
        "rejected" => [Rejected::CODES, &[CLAIM_REFUSED]].concat(),
        _ => Doubt::CODES.to_vec(),
    }
}
