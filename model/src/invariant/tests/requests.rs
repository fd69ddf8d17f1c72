use super::story::*;
use super::{Case, broken, case, held};
use crate::invariant::requests::*;
use crate::ledger::{AccessRequestRow, Action, Answer, Query, Refusal, RequestState, ShareTerms};

/// The bank has asked Alice for her passport.
fn asked() -> Story {
    Story::new().stored().block([did(BANK, ask())])
}

fn approved_as(change: impl FnOnce(&mut ShareTerms)) -> Story {
    let mut terms = as_asked();
    change(&mut terms);
    asked().block([did(ALICE, with_terms(share(BANK, LOCK), terms))])
}

fn received(rows: Vec<AccessRequestRow>) -> (Query, Result<Answer, Refusal>) {
    let query = Query::GetAccessRequestsReceived {
        page: None,
        size: None,
    };
    (query, Ok(Answer::Requests(rows)))
}

fn listed(story: Story, rows: Vec<AccessRequestRow>) -> Story {
    let (query, answer) = received(rows);
    story.saw(ALICE, N1, query, answer)
}

fn told(action: Action, why: Refusal) -> Story {
    asked().block([refused(ALICE, action, why)])
}

pub(super) fn cases() -> Vec<Case> {
    let by = &REQUESTS_ARE_DECIDED_ONCE;
    let to_shop = with_terms(share(SHOP, LOCK), as_asked());
    let of_licence = share_as(LICENCE, FOR_BANK, caller(BANK), LOCK, "");
    vec![
        case(
            "a request is approved that nobody made",
            Story::new().stored().block([did(ALICE, approve_asked())]),
            by,
            broken(&["REQ-01"]),
        ),
        case(
            "somebody else denies",
            asked().block([did(MALLORY, deny_asked())]),
            by,
            broken(&["REQ-01"]),
        ),
        case(
            "somebody else withdraws",
            asked().block([did(SHOP, withdraw_asked())]),
            by,
            broken(&["REQ-01"]),
        ),
        case(
            "its owner is told that there is no such request",
            told(deny_asked(), Refusal::RequestNotFound),
            by,
            broken(&["REQ-01"]),
        ),
        case(
            "a request is left out of its owner's listing",
            listed(asked(), Vec::new()),
            by,
            broken(&["REQ-01"]),
        ),
        case(
            "a request is listed that was forgotten with its owner's first profile",
            {
                let story = asked().block([did(ALICE, erase())]);
                let again = [did(KYC, create(ALICE)), did(KYC, bind(ALICE))];
                listed(story.block(again), vec![asked_row(RequestState::Submitted)])
            },
            by,
            broken(&["REQ-01"]),
        ),
        case(
            "a new profile of an erased owner is asked anew",
            {
                let story = asked().block([did(ALICE, erase())]);
                let again = [did(KYC, create(ALICE)), did(KYC, bind(ALICE))];
                let story = listed(story.block(again), Vec::new());
                let asks = story.block([did(ALICE, store(PASSPORT)), did(BANK, ask())]);
                listed(asks, vec![asked_row(RequestState::Submitted)])
            },
            by,
            held(&["REQ-01", "REQ-02"]),
        ),
        case(
            "a request is listed that nobody made",
            listed(
                Story::new().stored(),
                vec![asked_row(RequestState::Submitted)],
            ),
            by,
            broken(&["REQ-01"]),
        ),
        case(
            "a denied request is approved",
            asked()
                .block([did(ALICE, deny_asked())])
                .block([did(ALICE, approve_asked())]),
            by,
            broken(&["REQ-02"]),
        ),
        case(
            "a withdrawn request is approved",
            asked()
                .block([did(BANK, withdraw_asked())])
                .block([did(ALICE, approve_asked())]),
            by,
            broken(&["REQ-02"]),
        ),
        case(
            "a request is approved a second late",
            asked().at(STANDS + 1).block([did(ALICE, approve_asked())]),
            by,
            broken(&["REQ-02"]),
        ),
        case(
            "an open request is said to be over",
            told(approve_asked(), Refusal::RequestExpired),
            by,
            broken(&["REQ-02"]),
        ),
        case(
            "a denied request is listed as open",
            listed(
                asked().block([did(ALICE, deny_asked())]),
                vec![asked_row(RequestState::Submitted)],
            ),
            by,
            broken(&["REQ-02"]),
        ),
        case(
            "the lock is longer than asked",
            asked().block([did(ALICE, with_terms(share(BANK, LOCK + 1), as_asked()))]),
            by,
            broken(&["REQ-03"]),
        ),
        case(
            "the end is later than asked",
            approved_as(|terms| terms.expires_at = Some(ASKED_END + 1)),
            by,
            broken(&["REQ-03"]),
        ),
        case(
            "there is no end where one was asked for",
            approved_as(|terms| terms.expires_at = None),
            by,
            broken(&["REQ-03"]),
        ),
        case(
            "there are more uses than asked",
            approved_as(|terms| terms.uses = Some(3)),
            by,
            broken(&["REQ-03"]),
        ),
        case(
            "there are more fields than asked",
            approved_as(|terms| terms.fields = Some("name, birthday".into())),
            by,
            broken(&["REQ-03"]),
        ),
        case(
            "another consumer gets it",
            asked().block([did(ALICE, to_shop)]),
            by,
            broken(&["REQ-03"]),
        ),
        case(
            "another credential is given",
            asked().block([did(ALICE, with_terms(of_licence, as_asked()))]),
            by,
            broken(&["REQ-03"]),
        ),
        case(
            "a fitting approval is refused as too wide",
            told(approve_asked(), Refusal::ApprovalWidens),
            by,
            broken(&["REQ-03"]),
        ),
        case(
            "a request is made, narrowed, approved and told as it is",
            listed(
                listed(asked(), vec![asked_row(RequestState::Submitted)])
                    .block([refused(
                        ALICE,
                        with_terms(share(BANK, LOCK + 1), as_asked()),
                        Refusal::ApprovalWidens,
                    )])
                    .at(STANDS)
                    .block([did(
                        ALICE,
                        with_terms(
                            share(BANK, 0),
                            ShareTerms {
                                uses: Some(1),
                                fields: Some("city".into()),
                                ..as_asked()
                            },
                        ),
                    )])
                    .block([refused(ALICE, deny_asked(), Refusal::RequestApproved)]),
                vec![asked_row(RequestState::Approved)],
            ),
            by,
            held(&["REQ-01", "REQ-02", "REQ-03"]),
        ),
    ]
}
