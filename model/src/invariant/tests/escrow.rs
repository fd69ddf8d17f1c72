use super::staking::{CAROL, DAVE, Done, seal};
use super::story::Story;
use super::{Case, broken, case, held};
use crate::bridge::{Address, Amount, Hash, Leaf, Token, Tree};
use crate::chain::{Call, Contract, Log, RootSignature};
use crate::invariant::escrow::*;

const TOKEN: Token = Token::Usdc;
const ESCROW: Contract = Contract::Escrow(TOKEN);

fn block(story: Story, number: u64, done: Vec<Done>, held: i128) -> Story {
    seal(story, (number, number as i64), done, &[(ESCROW, held)])
}

fn deposit(from: Address, amount: i128) -> Done {
    let (token, amount) = (TOKEN, Amount(amount));
    let logs = vec![Log::Deposited {
        token,
        from,
        amount,
    }];
    (from, Call::Deposit { token, amount }, logs)
}

fn leaf(recipient: Address, amount: i128) -> Leaf {
    Leaf {
        recipient,
        amount: Amount(amount),
        escrow: TOKEN.escrow(),
        block: Hash([7; 32]),
    }
}

fn tree() -> Tree {
    let leaves = [leaf(CAROL, 30), leaf(DAVE, 20)];
    Tree::new(leaves.map(|leaf| leaf.hash())).unwrap()
}

/// So many of the five operators have signed.
fn post(operators: u8) -> Done {
    let (token, root) = (TOKEN, tree().root());
    let signature = |n: u8| RootSignature {
        signer: Address([n; 20]),
        signature: Vec::new(),
    };
    let call = Call::PostRoot {
        token,
        root,
        signatures: (0..operators).map(signature).collect(),
    };
    (DAVE, call, vec![Log::RootPosted { token, root }])
}

fn claim_of(leaf: Leaf, to: Address) -> Done {
    let (token, root) = (TOKEN, tree().root());
    let proof = tree().proof(leaf.hash()).unwrap_or_default();
    let moved = Log::Transferred {
        token,
        from: leaf.escrow,
        to,
        amount: leaf.amount,
    };
    let call = Call::Claim {
        token,
        root,
        leaf,
        proof,
    };
    (DAVE, call, vec![moved, Log::Claimed { root, leaf }])
}

fn claim(recipient: Address, amount: i128) -> Done {
    claim_of(leaf(recipient, amount), recipient)
}

/// Fifty were deposited, and a root for them was posted.
fn posted(operators: u8) -> Story {
    let story = Story::with_operators((0..5).map(|n| Address([n; 20])).collect());
    let story = block(story, 1, vec![deposit(CAROL, 50)], 50);
    block(story, 2, vec![post(operators)], 50)
}

pub(super) fn cases() -> Vec<Case> {
    let by = &ESCROWS_PAY_THE_ENTITLED;
    vec![
        case(
            "tokens leave the escrow without a claim",
            block(posted(3), 3, vec![], 49),
            by,
            broken(&["ECON-01"]),
        ),
        case(
            "a root counts that a minority has signed",
            posted(2),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "a withdrawal is paid twice",
            block(posted(3), 3, vec![claim(CAROL, 30), claim(CAROL, 30)], -10),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "more is claimed than the root says",
            block(posted(3), 3, vec![claim(CAROL, 31)], 19),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "somebody else is paid",
            block(posted(3), 3, vec![claim_of(leaf(CAROL, 30), DAVE)], 20),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "both are paid what they are entitled to, once",
            block(posted(3), 3, vec![claim(CAROL, 30), claim(DAVE, 20)], 0),
            by,
            held(&["ECON-01", "ECON-07"]),
        ),
    ]
}
