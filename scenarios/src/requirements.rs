//! Which requirements a step shows when its story does not say: those that a wrong ending breaks.

use assay_model::catalogue::RequirementId;
use assay_model::history::Ending;

use crate::plan::Expect;
use crate::verb::Verb;

/// The requirements that are broken when a step with this verb should end like this and does not.
/// Empty where a wrong ending breaks no single promise.
pub fn default_requirements(verb: Verb, expect: Expect) -> &'static [RequirementId] {
    match expect {
        Expect::Ending(Ending::Accepted) => accepted(verb),
        Expect::Ending(Ending::Refused(code)) => refused(verb, code),
        Expect::Ending(Ending::Rejected(code)) => rejected(code),
        Expect::Ending(Ending::Declined(code)) => declined(verb, code),
        Expect::Ending(Ending::Denied) => match verb {
            Verb::Ask => &["DISC-02"],
            Verb::AskEnclave => &["KEY-04"],
            _ => &["REQ-02"],
        },
        Expect::Ending(Ending::Unanswered) | Expect::Anything => &[],
    }
}

fn accepted(verb: Verb) -> &'static [RequirementId] {
    match verb {
        Verb::Register => &["USR-02"],
        Verb::Issue | Verb::StoreAgain => &["CRED-01"],
        Verb::Recognise => &["PERS-02"],
        Verb::SetStatus => &["REV-01"],
        Verb::Share => &["GRANT-02"],
        Verb::Approve => &["GRANT-02", "REQ-01"],
        Verb::Deny => &["REQ-02"],
        Verb::Revoke => &["GRANT-05"],
        Verb::EndAccess => &["GRANT-11"],
        Verb::Remove => &["DEL-01", "DEL-03"],
        Verb::RemoveWhenUnlocked | Verb::ListRemainders => &["DEL-05"],
        Verb::CancelPaper => &["DAG-05"],
        Verb::UseGrant => &["GRANT-13"],
        Verb::Pry => &["READ-04"],
        Verb::Withdraw => &["REQ-02"],
        Verb::ReadRecord => &["AUD-01"],
        Verb::Erase => &["USR-04"],
        Verb::TransmitDag => &["DAG-01", "DAG-02"],
        Verb::WriteDwg => &["DWG-04"],
        Verb::ShareAttribute => &["ATTR-01"],
        Verb::ReadOwn => &["CRED-02"],
        Verb::List | Verb::Dashboard => &["DASH-01"],
        Verb::Probe => &["WAL-08"],
        Verb::Request | Verb::ListRequests => &["REQ-01"],
        Verb::Filter => &["DISC-03"],
        Verb::StoreCopy | Verb::Rely => &["REUSE-03"],
        Verb::Ask | Verb::AskAgain => &["DISC-02"],
        Verb::Use => &["REUSE-02"],
        Verb::Rescind => &["GRANT-10"],
        Verb::ListGranted => &["READ-05"],
        Verb::StoreShares | Verb::Recover => &["MPC-01"],
        Verb::Unlock => &["KEY-01"],
        Verb::Rotate => &["KEY-03"],
        Verb::AskEnclave => &["KEY-04"],
        Verb::Dismiss => &["GOV-03"],
        Verb::PayGas | Verb::Allowance => &["ECON-02"],
        Verb::SetFee => &["ECON-04"],
        Verb::PayFee => &["ECON-05"],
        Verb::WithdrawTokens | Verb::Claims | Verb::PostRoot | Verb::ClaimTokens => &["ECON-07"],
        Verb::Balance => &["ECON-01"],
        Verb::AppointLeader => &["AVAIL-02"],
        Verb::WithdrawUnstaked => &["STAKE-02"],
        Verb::Slash => &["STAKE-03"],
        Verb::ReadLog => &["GOV-01"],
        Verb::JoinValidators
        | Verb::ApproveJoin
        | Verb::RemoveValidator
        | Verb::LeaveValidators
        | Verb::ApproveProposal => &["GOV-02"],
        // Success of these is a means, or an attack that works; neither is promised.
        Verb::DeclareKeyInvalid
        | Verb::Overwrite
        | Verb::Rekey
        | Verb::BindWallet
        | Verb::AddWallet
        | Verb::RemoveWallet
        | Verb::SignDag
        | Verb::SignDwg
        | Verb::Describe
        | Verb::Answer
        | Verb::WithdrawAnswer
        | Verb::FoundClub
        | Verb::JoinClub
        | Verb::LeaveClub
        | Verb::LeakSession
        | Verb::TurnAway
        | Verb::PresentAnswer
        | Verb::AddAttribute
        | Verb::EditAttribute
        | Verb::RemoveAttribute
        | Verb::Spend
        | Verb::Transfer
        | Verb::Lock
        | Verb::Sweep
        | Verb::Fee
        | Verb::Authorise
        | Verb::Allow
        | Verb::Guess
        | Verb::Behave
        | Verb::Admit
        | Verb::Stake
        | Verb::Unstake
        | Verb::WithdrawReward
        | Verb::AllowNode
        | Verb::DisallowNode
        | Verb::WithdrawSlashed
        | Verb::SetReward
        | Verb::FundRewards
        | Verb::PauseStaking
        | Verb::ResumeStaking
        | Verb::ApproveTokens
        | Verb::SendTokens
        | Verb::Deposit
        | Verb::WatchChain
        | Verb::InventDeposit
        | Verb::Reorganise
        | Verb::ReplaceAction
        | Verb::Propose => &[],
    }
}

fn refused(verb: Verb, code: &str) -> &'static [RequirementId] {
    match (verb, code) {
        (Verb::Register, "duplicate-key") => &["USR-01"],
        (Verb::Rekey, "owner-consent-missing") => &["USR-03"],
        (Verb::Issue | Verb::Overwrite | Verb::Describe, "owner-consent-missing") => &["CRED-06"],
        (Verb::WriteDwg, "duplicate-key") => &["DWG-01"],
        (Verb::SetStatus, "nothing-matched") => &["REV-01"],

        (Verb::PayGas, "no-wallet-with-balance" | "balance-insufficient") => &["ECON-02"],
        (_, "no-wallet-with-balance") => &["ECON-03", "ECON-06"],
        (_, "balance-insufficient") => &["ECON-03"],
        (_, "fee-unpaid" | "fee-paid") => &["ECON-05"],
        (_, "not-the-issuer") => &["ECON-04"],

        (_, "request-not-found" | "request-incomplete") => &["REQ-01"],
        (_, "request-approved" | "request-denied" | "request-expired" | "request-withdrawn") => {
            &["REQ-02"]
        }
        (_, "approval-widens") => &["REQ-03"],
        (_, "grant-ended" | "grant-not-open" | "end-within-lock" | "uses-not-positive") => {
            &["GRANT-13"]
        }
        (_, "lock-not-in-seconds" | "lock-too-long") => &["GRANT-12"],
        (_, "oversized") => &["CRED-09"],
        (_, "dag-without-end" | "dag-expired" | "paper-cancelled" | "paper-used") => &["DAG-05"],

        (Verb::EndAccess, "grant-locked" | "grant-not-found") => &["GRANT-11"],
        (_, "grant-locked") => &["GRANT-05"],
        (_, "grant-not-found") => &["GRANT-06"],
        (_, "not-shared") => &["GRANT-01"],
        (_, "grant-without-credential") => &["GRANT-02"],
        (_, "grant-exists") => &["GRANT-03"],
        (_, "grantee-malformed") => &["GRANT-04"],
        (_, "nothing-to-rescind") => &["GRANT-09"],
        (_, "not-a-copy" | "original-not-owned") => &["GRANT-15"],

        (_, "dag-owner-not-found" | "dag-signature-invalid" | "dag-data-not-owned") => &["DAG-01"],
        (_, "dag-used") => &["DAG-03"],
        (_, "dwg-outside-window") => &["DWG-02"],
        (_, "dwg-foreign-issuer") => &["DWG-06"],
        (
            _,
            "dwg-owner-not-found"
            | "date-malformed"
            | "dwg-window-reversed"
            | "window-reversed"
            | "dwg-signature-invalid"
            | "original-signature-wrong"
            | "copy-signature-wrong",
        ) => &["DWG-03"],
        (_, "attribute-not-owned") => &["ATTR-01"],

        (_, "signature-wrong") => &["CRED-01"],
        (_, "content-not-sealed") => &["CRED-03"],
        (_, "copy-with-notes" | "shared-not-editable") => &["CRED-04"],
        (_, "credentials-are-the-owners" | "credential-not-owned") => &["CRED-05"],
        (_, "nothing-matched" | "credential-unknown") => &["CRED-08"],

        (_, "wallet-public-key-taken" | "wallet-address-taken") => &["WAL-03"],
        (_, "wallet-invalid" | "proof-unbound" | "proof-expired") => &["WAL-04"],
        (_, "proof-used") => &["WAL-05"],
        (_, "wallet-connected") => &["WAL-06"],
        (_, "wallets-are-the-owners") => &["WAL-07"],

        (_, "issuer-key-changed" | "status-contradicted") => &["REV-03"],
        (_, "notes-id-taken") => &["REV-05"],
        (_, "locked-grants") => &["DEL-03"],
        (_, "profile-locked") => &["USR-04"],
        (_, "page-not-positive" | "size-not-positive") => &["READ-05"],
        (_, "unauthorized-inserter") => &["GOV-03"],

        (_, "staker-not-caller" | "rewards-not-funded") => &["STAKE-01"],
        (_, "node-slashed" | "no-withdrawable-stake" | "amount-exceeds-stake") => &["STAKE-02"],
        (_, "evidence-missing" | "evidence-invalid") => &["STAKE-03"],
        (
            _,
            "signatures-too-few" | "root-posted" | "root-unknown" | "proof-wrong"
            | "already-claimed",
        ) => &["ECON-07"],
        (
            _,
            "caller-not-validator"
            | "caller-is-validator"
            | "target-not-validator"
            | "join-pending"
            | "no-join-pending"
            | "own-join"
            | "leader-stays"
            | "leader-cannot-leave"
            | "resolution-exists"
            | "resolution-unknown",
        ) => &["GOV-02"],
        _ => &[],
    }
}

fn rejected(code: &str) -> &'static [RequirementId] {
    match code {
        "claim-refused" => &["READ-01"],
        "bad-signature" => &["WAL-01"],
        "wrong-chain" | "wrong-nonce" | "already-exists" => &["CONS-04"],
        "content-not-sealed" => &["CRED-03"],
        "too-large" => &["CRED-09"],
        _ => &[],
    }
}

fn declined(verb: Verb, code: &str) -> &'static [RequirementId] {
    match (verb, code) {
        (Verb::ReadOwn, "nothing-found") => &["CRED-02"],
        (Verb::Probe, "nothing-found") => &["WAL-08"],
        (Verb::Guess, "nothing-found") => &["KEY-02"],
        (Verb::AskEnclave, "nothing-found") => &["CRED-02"],
        (_, "wrong-password" | "invalid-salt") => &["KEY-01"],
        (_, "upload-partial" | "upload-refused" | "not-stored" | "too-few-shares") => &["MPC-01"],
        (_, "shares-uneven") => &["MPC-02"],
        (_, "not-authorised" | "share-address-missing" | "share-nodes-missing") => &["MPC-03"],
        (_, "origin-unknown") => &["KEY-04"],
        (Verb::ListRequests, "nothing-found") => &["REQ-01"],
        (Verb::ReadRecord, "nothing-found") => &["AUD-01"],
        (Verb::ListRemainders, "nothing-found") => &["DEL-05"],
        (Verb::Ask | Verb::AskAgain | Verb::PresentAnswer, _) => &["DISC-02"],
        (_, "other-matches") => &["DISC-03"],
        (_, "answers-differ") => &["READ-04"],
        (Verb::Rely, _) | (_, "not-a-peer" | "not-inserted" | "reliance-chained") => &["REUSE-03"],
        (_, "person-known") => &["PERS-01"],
        (_, "hash-mismatch") => &["ENC-04"],
        (_, "cannot-open") => &["ENC-03"],
        (_, "no-grant") => &["GRANT-01"],
        (_, "statement-unsigned") => &["REV-04"],
        (_, "key-invalid") => &["REV-06"],
        (
            _,
            "lock-too-short" | "no-original" | "untrusted-issuer" | "not-approved" | "bad-document"
            | "wrong-subject" | "level-too-low",
        ) => &["REUSE-02"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use assay_model::catalogue;
    use assay_model::chain::Revert;
    use assay_model::history::Doubt;
    use assay_model::ledger::Refusal;
    use assay_model::node::Rejected;

    use super::*;

    fn every_ending() -> Vec<Ending> {
        let mut endings = vec![Ending::Accepted, Ending::Denied, Ending::Unanswered];
        endings.extend(Refusal::CODES.iter().map(|code| Ending::Refused(code)));
        endings.extend(Revert::CODES.iter().map(|code| Ending::Refused(code)));
        endings.extend(Rejected::CODES.iter().map(|code| Ending::Rejected(code)));
        endings.push(Ending::Rejected("claim-refused"));
        endings.extend(Doubt::CODES.iter().map(|code| Ending::Declined(code)));
        endings
    }

    #[test]
    fn every_requirement_is_in_the_catalogue() {
        for verb in Verb::ALL {
            for ending in every_ending() {
                for id in default_requirements(*verb, Expect::Ending(ending)) {
                    assert!(catalogue::find(id).is_some(), "{verb:?} {ending:?}: {id}");
                }
            }
        }
    }

    /// A code that was renamed in the model would otherwise fall through to nothing, silently.
    #[test]
    fn only_these_codes_show_nothing() {
        let silent: Vec<Ending> = every_ending()
            .into_iter()
            .filter(|ending| {
                let none =
                    |verb: &Verb| default_requirements(*verb, Expect::Ending(*ending)).is_empty();
                Verb::ALL.iter().all(none)
            })
            .collect();
        insta::assert_debug_snapshot!(silent);
    }

    #[test]
    fn the_table_says_what_it_should() {
        let table: [(Verb, Ending, &[RequirementId]); 8] = [
            (Verb::Revoke, Ending::Accepted, &["GRANT-05"]),
            (Verb::Revoke, Ending::Refused("grant-locked"), &["GRANT-05"]),
            (
                Verb::Revoke,
                Ending::Refused("grant-not-found"),
                &["GRANT-06"],
            ),
            (Verb::Remove, Ending::Refused("locked-grants"), &["DEL-03"]),
            (Verb::TransmitDag, Ending::Refused("dag-used"), &["DAG-03"]),
            (Verb::Use, Ending::Rejected("claim-refused"), &["READ-01"]),
            (Verb::Use, Ending::Declined("hash-mismatch"), &["ENC-04"]),
            (Verb::Request, Ending::Denied, &["REQ-02"]),
        ];
        for (verb, ending, expected) in table {
            assert_eq!(default_requirements(verb, Expect::Ending(ending)), expected);
        }
        assert_eq!(default_requirements(Verb::Use, Expect::Anything), [""; 0]);
    }
}
