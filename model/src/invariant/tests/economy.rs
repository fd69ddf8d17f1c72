use super::story::*;
use super::{Case, broken, case, held};
use crate::bridge::{Address, Amount, Hash, Leaf, Token, Tree};
use crate::id::{EpochId, Height, PartyId};
use crate::invariant::economy::*;
use crate::ledger::{Action, Answer, BridgeInfo, ClaimRow, EpochRow, Excerpt, Query, Refusal};

const UNITS: i128 = 1_000_000_000_000_000_000;

fn transfer(to: PartyId, amount: i128) -> Action {
    Action::Transfer {
        token: Token::Idos,
        to: caller(to),
        amount: Amount(amount),
    }
}

fn withdraw(amount: i128) -> Action {
    Action::Bridge {
        token: Token::Idos,
        amount: Amount(amount),
    }
}

fn price(amount: i128) -> Action {
    Action::SetIssuerFee {
        credential_id: PASSPORT,
        issuer_fee: Amount(amount),
        issuer_wallet: caller(MALLORY),
    }
}

fn pay() -> Action {
    Action::ActionCostingFee {
        credential_id: FOR_SHOP,
    }
}

fn balance(story: Story, token: Token, of: PartyId, amount: i128) -> Story {
    let query = Query::Balance {
        token,
        user: caller(of),
    };
    story.saw(DB_OWNER, N1, query, Ok(Answer::Amount(Amount(amount))))
}

fn network(story: Story, token: Token, amount: i128) -> Story {
    let info = BridgeInfo {
        escrow: token.escrow(),
        decimals: token.decimals(),
        balance: Amount(amount),
    };
    let query = Query::Info { token };
    story.saw(DB_OWNER, N1, query, Ok(Answer::Info(info)))
}

fn epochs(story: Story, rows: Vec<EpochRow>) -> Story {
    let query = Query::ListEpochs {
        token: Token::Idos,
        after: 0,
        limit: 10,
    };
    story.saw(DB_OWNER, N1, query, Ok(Answer::Epochs(rows)))
}

fn allowance(story: Story, of: PartyId, amount: i128) -> Story {
    let answer = Answer::Allowance(Some(Amount(amount)));
    story.saw(of, N1, Query::GetAllowance {}, Ok(answer))
}

/// Alice has given the shop so many of her 500 IDOS.
fn traded(amount: i128) -> Story {
    Story::new()
        .registered()
        .block([did(ALICE, transfer(SHOP, amount))])
}

/// What a node shows of the whole IDOS ledger.
fn ledger(story: Story, alice: i128, shop: i128) -> Story {
    let story = balance(story, Token::Idos, ALICE, alice);
    let story = balance(story, Token::Idos, SHOP, shop);
    epochs(network(story, Token::Idos, 0), vec![])
}

/// The shop has a copy that costs it 100 and a quarter.
fn priced() -> Story {
    Story::new()
        .registered()
        .block([did(ALICE, store(PASSPORT))])
        .block([did(KYC, price(100))])
        .block([did(ALICE, share(SHOP, 0))])
}

/// Alice has withdrawn 20 IDOS in the first epoch, which has closed.
fn closed() -> Story {
    Story::new()
        .registered()
        .block([did(ALICE, withdraw(20))])
        .at(700)
        .block([])
}

/// What she can claim of it, of this amount and with this proof.
fn claim(story: Story, amount: i128, good: bool) -> Story {
    let row = claimable(&story, amount, good);
    claims(story, vec![row])
}

fn claimable(story: &Story, amount: i128, good: bool) -> ClaimRow {
    let token = Token::Idos;
    let end = Height(story.tip());
    let leaf = Leaf {
        recipient: address(ALICE),
        amount: Amount(amount),
        escrow: token.escrow(),
        block: Hash([7; 32]),
    };
    let tree = Tree::new([leaf.hash()]).expect("there is a leaf");
    ClaimRow {
        escrow: leaf.escrow,
        created_at: end,
        recipient: leaf.recipient,
        amount: leaf.amount,
        block: leaf.block,
        root: tree.root(),
        proof: if good { vec![] } else { vec![Hash([1; 32])] },
    }
}

fn claims(story: Story, rows: Vec<ClaimRow>) -> Story {
    claims_of(story, rows, true)
}

fn claims_of(story: Story, rows: Vec<ClaimRow>, with_pending: bool) -> Story {
    let query = Query::ListWalletRewards {
        token: Token::Idos,
        wallet: caller(ALICE),
        with_pending,
    };
    story.saw(ALICE, N1, query, Ok(Answer::Claims(rows)))
}

fn epoch(story: Story, total: i128) -> Story {
    epoch_as(story, total, false)
}

fn epoch_as(story: Story, total: i128, confirmed: bool) -> Story {
    let end = Height(story.tip());
    let row = EpochRow {
        id: EpochId::derive(Token::Idos, Height(1)),
        start_height: Height(1),
        start_time: 1,
        end_height: end,
        root: Hash::default(),
        total: Amount(total),
        block: Hash([7; 32]),
        confirmed,
    };
    epochs(story, vec![row])
}

fn invalid_address(of: PartyId) -> Refusal {
    Refusal::AddressInvalid(Excerpt::of(&caller(of)))
}

pub(super) fn cases() -> Vec<Case> {
    [adding_up(), taking(), paying(), withdrawing()]
        .into_iter()
        .flatten()
        .collect()
}

fn adding_up() -> Vec<Case> {
    let by = &TOKENS_ADD_UP;
    let gas = &GAS_IS_TAKEN_IN_ORDER;
    let metered = |times| {
        let spent = (0..times).map(|_| did(ALICE, Action::ActionCostingGas {}));
        Story::new().registered().block(spent)
    };
    vec![
        case(
            "tokens come out of nothing",
            ledger(traded(20), 500, 20),
            by,
            broken(&["ECON-01"]),
        ),
        case(
            "tokens get lost",
            ledger(traded(20), 480, 0),
            by,
            broken(&["ECON-01"]),
        ),
        case(
            "what one has given the other has",
            ledger(traded(20), 480, 20),
            by,
            held(&["ECON-01"]),
        ),
        case(
            "what was withdrawn is in a closed epoch",
            epoch(
                network(balance(closed(), Token::Idos, ALICE, 480), Token::Idos, 0),
                20,
            ),
            by,
            held(&["ECON-01"]),
        ),
        case(
            "gas costs nothing",
            allowance(metered(1), ALICE, 100 * UNITS),
            gas,
            broken(&["ECON-02"]),
        ),
        case(
            "a refused action takes gas",
            allowance(
                Story::new().registered().block([refused(
                    ALICE,
                    Action::ActionCostingGas {},
                    Refusal::NoWalletWithBalance,
                )]),
                ALICE,
                100 * UNITS - 12 * UNITS / 10,
            ),
            gas,
            broken(&["ECON-02"]),
        ),
        case(
            "an allowance falls below zero",
            allowance(metered(84), ALICE, 100 * UNITS - 84 * 12 * UNITS / 10),
            gas,
            broken(&["ECON-02"]),
        ),
        case(
            "gas comes out of the allowance",
            allowance(metered(2), ALICE, 100 * UNITS - 24 * UNITS / 10),
            gas,
            held(&["ECON-02"]),
        ),
    ]
}

fn taking() -> Vec<Case> {
    let by = &ONLY_THE_SIGNER_PAYS;
    let told = &NON_EVM_CALLERS_ARE_TOLD;
    let spend = |amount| Action::ActionCostingIdosToken {
        amount: Amount(amount),
    };
    vec![
        case(
            "another wallet of the same user pays",
            Story::new()
                .registered()
                .block([did(ALICE, add_other_wallet(ALICE))])
                .block([did(ALICE, spend(20)).with_key(other_key(ALICE))]),
            by,
            broken(&["ECON-03"]),
        ),
        case(
            "a key without an address pays",
            Story::new().registered().block([did(BANK, spend(20))]),
            by,
            broken(&["ECON-03"]),
        ),
        case(
            "a wallet pays more than it has",
            traded(501),
            by,
            broken(&["ECON-03"]),
        ),
        case(
            "a wallet has less than it should",
            balance(traded(20), Token::Idos, SHOP, 19),
            by,
            broken(&["ECON-03"]),
        ),
        case(
            "the signer pays what it has",
            balance(traded(500), Token::Idos, ALICE, 0),
            by,
            held(&["ECON-03"]),
        ),
        case(
            "the bridge rejects a caller without an address",
            Story::new()
                .registered()
                .block([refused(BANK, spend(20), invalid_address(BANK))]),
            told,
            broken(&["ECON-06"]),
        ),
        case(
            "a view tells a caller what the bridge says",
            Story::new().registered().saw(
                BANK,
                N1,
                Query::GetWalletWithBalance {
                    token: "USDC".into(),
                },
                Err(invalid_address(BANK)),
            ),
            told,
            broken(&["ECON-06"]),
        ),
        case(
            "a caller without an address is told that nothing was found",
            Story::new().registered().block([
                refused(BANK, spend(20), Refusal::NoWalletWithBalance),
                refused(BANK, transfer(SHOP, 1), invalid_address(SHOP)),
            ]),
            told,
            held(&["ECON-06"]),
        ),
    ]
}

fn paying() -> Vec<Case> {
    let by = &FEES_ARE_SPLIT;
    let once = &GRANTS_ARE_PAID_ONCE;
    let paid = || priced().block([did(SHOP, pay())]);
    vec![
        case(
            "everything goes to the network",
            network(paid(), Token::Usdc, 125),
            by,
            broken(&["ECON-04"]),
        ),
        case(
            "the issuer gets nothing",
            balance(paid(), Token::Usdc, MALLORY, 0),
            by,
            broken(&["ECON-04"]),
        ),
        case(
            "the price reaches the issuer and the mark-up the network",
            network(balance(paid(), Token::Usdc, MALLORY, 100), Token::Usdc, 25),
            by,
            held(&["ECON-04"]),
        ),
        case(
            "a copy is read before it is paid for",
            priced().saw(SHOP, N1, read_copy(FOR_SHOP), shared(FOR_SHOP, None)),
            once,
            broken(&["ECON-05"]),
        ),
        case(
            "a copy that is paid for is kept back",
            paid().saw(SHOP, N1, read_copy(FOR_SHOP), Err(Refusal::FeeUnpaid)),
            once,
            broken(&["ECON-05"]),
        ),
        case(
            "a copy is paid for twice",
            paid().block([did(SHOP, pay())]),
            once,
            broken(&["ECON-05"]),
        ),
        case(
            "a copy is refused, paid for and read",
            priced()
                .saw(SHOP, N1, read_copy(FOR_SHOP), Err(Refusal::FeeUnpaid))
                .block([did(SHOP, pay())])
                .saw(SHOP, N1, read_copy(FOR_SHOP), shared(FOR_SHOP, None)),
            once,
            held(&["ECON-05"]),
        ),
    ]
}

fn withdrawing() -> Vec<Case> {
    let by = &WITHDRAWALS_PAY_THE_ENTITLED;
    let to_another = || {
        let (story, row) = (closed(), Address([9; 20]));
        let end = Height(story.tip());
        let row = ClaimRow {
            escrow: Token::Idos.escrow(),
            created_at: end,
            recipient: row,
            amount: Amount(20),
            block: Hash([7; 32]),
            root: Hash::default(),
            proof: vec![],
        };
        claims(story, vec![row])
    };
    vec![
        case(
            "somebody can claim more than was withdrawn",
            claim(closed(), 21, true),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "a claim cannot be proven",
            claim(closed(), 20, false),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "a claim pays another",
            to_another(),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "a claim is left out",
            claims(closed(), vec![]),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "an epoch closes with more than was withdrawn",
            epoch(closed(), 30),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "an epoch counts as taken that nobody told of",
            epoch_as(closed(), 20, true),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "what no root proves yet can be claimed",
            {
                let row = claimable(&closed(), 20, true);
                claims_of(closed(), vec![row], false)
            },
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "an epoch closes with what was withdrawn, and it can be claimed",
            epoch(claim(closed(), 20, true), 20),
            by,
            held(&["ECON-07"]),
        ),
    ]
}
