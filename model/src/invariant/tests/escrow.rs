use std::sync::Arc;

use super::staking::{CAROL, DAVE, Done, seal};
use super::story::Story;
use super::{Case, broken, case, held};
use crate::bridge::{Address, Amount, Hash, Leaf, Token, Tree};
use crate::chain::{Call, Contract, Log, RootSignature};
use crate::crypto::{Identity, Real, Scheme, SigningKey, Suite, Symbolic};
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

fn key(operator: u8) -> SigningKey {
    SigningKey {
        scheme: Scheme::Evm,
        secret: [operator + 1; 32],
    }
}

fn account(operator: u8) -> Address {
    match Symbolic.identity(&key(operator)) {
        Identity::Evm(account) => Address(account),
        other => panic!("{other:?} is no account"),
    }
}

/// What one operator signs for another's name, which is its own if it is honest.
fn signed(suite: &dyn Suite, by: u8, signer: Address) -> RootSignature {
    let (escrow, root) = (TOKEN.escrow(), tree().root());
    let message = format!("idOS withdrawals\n{escrow}\n{root}");
    RootSignature {
        signer,
        signature: suite.sign(&key(by), message.as_bytes()),
    }
}

/// So many of the five operators have signed.
fn post(operators: u8) -> Done {
    let signature = |n: u8| signed(&Symbolic, n, account(n));
    post_as((0..operators).map(signature).collect())
}

fn post_as(signatures: Vec<RootSignature>) -> Done {
    let (token, root) = (TOKEN, tree().root());
    let call = Call::PostRoot {
        token,
        root,
        signatures,
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
    posted_as((0..5).map(account).collect(), post(operators))
}

fn posted_as(operators: Vec<Address>, post: Done) -> Story {
    let story = Story::with_operators(operators);
    let story = block(story, 1, vec![deposit(CAROL, 50)], 50);
    block(story, 2, vec![post], 50)
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
            "a root counts that one operator has signed in the name of three",
            posted_as(
                (0..5).map(account).collect(),
                post_as((0..3).map(|n| signed(&Symbolic, 0, account(n))).collect()),
            ),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "signatures of the published curve count",
            {
                let suite = Real::new(Arc::default());
                let account = |n: u8| match suite.identity(&key(n)) {
                    Identity::Evm(account) => Address(account),
                    other => panic!("{other:?} is no account"),
                };
                let signatures = (0..3).map(|n| signed(&suite, n, account(n))).collect();
                let story = posted_as((0..5).map(account).collect(), post_as(signatures));
                block(story, 3, vec![claim(CAROL, 30), claim(DAVE, 20)], 0)
            },
            by,
            held(&["ECON-01", "ECON-07"]),
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
