//! What can stand behind `do` and `fault`: the names, who may use them, and the keys each one knows.

use assay_model::history::Role;

/// Who may take a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// A party in this role.
    In(Role),
    /// All operators together, who are no party.
    Operators,
    /// The operator of one node.
    Operator,
    /// Whoever speaks with nodes.
    Anyone,
}

macro_rules! table {
    (
        $(#[$doc:meta])* $vis:vis enum $name:ident;
        $($variant:ident $key:literal [$($field:literal),*] $text:literal;)+
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        $vis enum $name {
            $(#[doc = $text] $variant,)+
        }

        impl $name {
            /// All of them, in the order of the table.
            $vis const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The names, in the same order.
            $vis const NAMES: &'static [&'static str] = &[$($key),+];

            /// As a story writes it.
            $vis const fn name(self) -> &'static str {
                match self { $($name::$variant => $key),+ }
            }

            /// The one of this name, if there is one.
            $vis fn parse(name: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|one| one.name() == name)
            }

            /// The keys it knows besides those every one has.
            pub(crate) const fn fields(self) -> &'static [&'static str] {
                match self { $($name::$variant => &[$($field),*]),+ }
            }
        }
    };
}

table! {
    /// What a step can do.
    pub enum Verb;
    Register "register" ["user"]
        "An issuer creates a profile for a user who has none.";
    Issue "issue" ["to", "as", "how", "size", "forged", "unsealed", "country", "level", "expires", "about"]
        "An issuer verifies a user and writes a credential.";
    Recognise "recognise" ["to", "as"]
        "An issuer looks at a user's face, and writes which person it is.";
    SetStatus "set-status" ["credential", "status"]
        "An issuer states a new status for a credential.";
    DeclareKeyInvalid "declare-key-invalid" ["from"]
        "An issuer declares that what its key signs from a moment on is not to be believed.";
    Overwrite "overwrite" ["credential", "copy", "user"]
        "An issuer overwrites an existing row.";
    Rekey "rekey" ["user", "consent"]
        "An issuer replaces a user's encryption key.";
    BindWallet "bind-wallet" ["user"]
        "An issuer binds a wallet of its own to a user's profile.";
    WriteDwg "write-dwg" ["dwg", "fresh"]
        "An issuer writes a credential and a copy under a signed paper.";
    Describe "describe" ["user", "as", "consent"]
        "An issuer writes an attribute into a user's profile.";
    Share "share" ["credential", "to", "as", "lock", "lock-until", "in-milliseconds", "ends", "ends-at", "uses", "fields", "fidelity"]
        "A credential is copied for somebody, with a grant on the copy.";
    Approve "approve" ["request", "credential", "as", "lock", "lock-until", "ends", "ends-at", "uses", "fields", "fidelity"]
        "A request is answered with a copy and a grant.";
    Deny "deny" ["request", "question"]
        "A request is refused.";
    Revoke "revoke" ["grant", "grants"]
        "Grants are ended, all or none of them.";
    EndAccess "end-access" ["credential", "copy", "of"]
        "All that a party may read of a credential is ended in one operation.";
    Remove "remove" ["credential", "copy"]
        "A row is removed.";
    RemoveWhenUnlocked "remove-when-unlocked" ["credential", "copy"]
        "A row is removed, and what locks keep of it as soon as they let go.";
    StoreAgain "store-again" ["credential", "as", "copy", "resigned"]
        "What an issuer handed over earlier is stored once more.";
    AddWallet "add-wallet" ["as", "type", "forged", "replayed"]
        "A further wallet is bound to the profile.";
    RemoveWallet "remove-wallet" ["which"]
        "A wallet is unbound.";
    StoreShares "store-shares" []
        "A random password is given to the share nodes.";
    Recover "recover" []
        "The password is got back from the share nodes, on a device that knows nothing.";
    Unlock "unlock" ["wrong", "salt"]
        "The password is typed into an enclave that has forgotten it.";
    Rotate "rotate" ["issuer"]
        "The password is changed, the key with it, and every original is sealed anew.";
    Authorise "authorise" ["to", "each"]
        "An origin may ask the user's enclave from now on.";
    Allow "allow" ["request"]
        "A request that waits in the enclave is answered.";
    Guess "guess" ["of"]
        "Somebody guesses a user's password with what every operator holds.";
    Erase "erase" []
        "The whole profile is erased.";
    SignDag "sign-dag" ["copy", "credential", "to", "as", "lock", "lock-until", "until", "ends", "ends-at", "uses", "owner", "carrier"]
        "A delegated grant is signed on paper and handed over.";
    SignDwg "sign-dwg" ["to", "issuer", "carrier", "as", "lock", "lock-until", "from", "until"]
        "A delegated write is signed on paper and handed to the issuer.";
    CancelPaper "cancel-paper" ["dag", "dwg"]
        "A signed paper is made useless.";
    AddAttribute "add-attribute" ["as", "size"]
        "An attribute is stored in the profile.";
    EditAttribute "edit-attribute" ["attribute"]
        "An attribute's value is replaced.";
    RemoveAttribute "remove-attribute" ["attribute"]
        "An attribute is removed.";
    ShareAttribute "share-attribute" ["attribute", "as"]
        "A copy of an attribute is stored, linked to it.";
    TransmitDag "transmit-dag" ["dag"]
        "A delegated grant is put into force.";
    ReadOwn "read-own" ["credential", "copy"]
        "A row is read as its owner would.";
    List "list" []
        "The own credentials and grants are listed.";
    Dashboard "dashboard" []
        "An owner looks at the dashboard.";
    ListRemainders "list-remainders" ["rows"]
        "What locks keep of removed data is listed.";
    ListRequests "list-requests" ["rows"]
        "Requests for access are listed: a consumer's own, or those a user has received.";
    ReadRecord "read-record" ["rows"]
        "The record of requests and grants is read.";
    Probe "probe" ["of", "which", "shouted"]
        "Somebody asks whether a party has a profile.";
    Request "request" ["of", "as", "credential", "lock", "lock-until", "stands", "ends", "ends-at", "uses", "fields", "purpose"]
        "A consumer asks a user for access.";
    AskEnclave "ask-enclave" ["of", "credential", "as"]
        "A consumer's page asks a user's enclave to show a credential.";
    Withdraw "withdraw" ["request"]
        "A consumer takes its request back.";
    UseGrant "use-grant" ["grant"]
        "A grantee makes use of a grant, so that it can be read from for a while.";
    Pry "pry" ["grant"]
        "A stranger asks about a copy and its grant in every way, and about rows that never were, and compares.";
    Filter "filter" ["of", "pick", "omit", "matches"]
        "A user's enclave says which credentials are of use, and nothing else.";
    Ask "ask" ["of", "as", "predicate", "expires"]
        "A consumer asks a user one question, and believes the answer or not.";
    AskAgain "ask-again" ["question"]
        "A consumer has a question answered once more.";
    Answer "answer" ["question", "credential", "repeated"]
        "A user lets a question be answered from a credential.";
    WithdrawAnswer "withdraw-answer" ["question"]
        "A user lets a question be answered no more.";
    PresentAnswer "present-answer" ["question", "to"]
        "An answer is presented to another consumer, or to oneself once more.";
    Use "use" ["copy", "least-lock", "least-lock-until", "least-level", "trusting", "unique", "posing-as"]
        "A copy is read, and accepted or not.";
    Rescind "rescind" ["copy"]
        "A grantee gives up a copy.";
    ListGranted "list-granted" ["page", "size", "rows"]
        "A grantee pages through the grants received.";
    PayGas "pay-gas" []
        "The action that costs 1.2 units of gas is run.";
    Spend "spend" ["amount"]
        "The action that costs IDOS is run.";
    SetFee "set-fee" ["credential", "amount", "to"]
        "An issuer sets what copies of a credential cost, and who is paid.";
    PayFee "pay-fee" ["credential", "copy"]
        "What a credential costs is paid, with the mark-up.";
    WithdrawTokens "withdraw-tokens" ["token", "amount"]
        "Tokens are withdrawn to the chain that holds them.";
    Transfer "transfer" ["token", "amount", "to"]
        "Tokens are given to somebody.";
    Lock "lock" ["token", "amount"]
        "Tokens are given to the network.";
    Sweep "sweep" ["token", "to"]
        "The database owner withdraws what the network owns.";
    Balance "balance" ["token", "of", "which", "amount"]
        "Somebody looks whether a balance is as it should be.";
    Allowance "allowance" ["amount"]
        "Somebody looks whether the own free gas is as it should be.";
    Fee "fee" ["credential", "copy", "amount"]
        "Somebody looks whether a price is as it should be.";
    Claims "claims" ["token", "of", "amount"]
        "Somebody looks what can be claimed of closed epochs.";
    Admit "admit" ["issuer"]
        "The database owner gives an issuer its inserter and delegate rows.";
    Dismiss "dismiss" ["issuer", "shouted"]
        "The database owner takes an issuer's delegate away.";
    FoundClub "found-club" ["as"]
        "The database owner founds a club of obliged entities.";
    JoinClub "join-club" ["club", "party"]
        "The database owner makes an obliged entity a member of a club.";
    LeaveClub "leave-club" ["club", "party"]
        "The database owner ends a membership.";
    StoreCopy "store-copy" ["credential", "to", "as", "lock", "lock-until", "fidelity"]
        "A copy is stored for somebody, and waits for a grant.";
    Rely "rely" ["dag", "on"]
        "An obliged entity has another vouch for a copy, and relies on it.";
    LeakSession "leak-session" ["of", "to"]
        "A gateway lets somebody have another's session.";
    TurnAway "turn-away" ["party", "again"]
        "A gateway drops what a party asks from now on, or takes it again.";
    Behave "behave" ["conduct"]
        "The operator of a share node does otherwise from now on.";
    ReplaceAction "replace-action" ["rule", "position"]
        "The database owner replaces an action, so that it keeps something from then on, or does not.";
    ReadLog "read-log" ["page", "size", "rows"]
        "Somebody reads the public log of changes.";
    JoinValidators "join-validators" ["power"]
        "A node asks to become a validator.";
    ApproveJoin "approve-join" ["node"]
        "A validator approves of another node's request to join.";
    RemoveValidator "remove-validator" ["node"]
        "A validator asks that another be removed, or approves of that.";
    LeaveValidators "leave-validators" []
        "A validator stops being one.";
    Propose "propose" ["as", "parameter", "value"]
        "A validator proposes a change of the network's parameters.";
    ApproveProposal "approve-proposal" ["proposal"]
        "A validator approves of a proposed change.";
    AppointLeader "appoint-leader" ["node"]
        "The operators appoint a leader.";
    Stake "stake" ["node", "amount", "of"]
        "Tokens are staked behind a node.";
    Unstake "unstake" ["node", "amount"]
        "Stake begins its way back.";
    WithdrawUnstaked "withdraw-unstaked" []
        "What was unstaked long enough ago is paid.";
    WithdrawReward "withdraw-reward" []
        "Rewards are paid.";
    AllowNode "allow-node" ["node"]
        "The Association lets tokens be staked behind a node.";
    DisallowNode "disallow-node" ["node"]
        "The Association lets no more tokens be staked behind a node.";
    Slash "slash" ["node", "evidence"]
        "The Association takes everything staked behind a node.";
    WithdrawSlashed "withdraw-slashed" []
        "What was slashed is paid to the Association.";
    SetReward "set-reward" ["amount"]
        "The Association sets the reward of an epoch.";
    FundRewards "fund-rewards" ["amount"]
        "Tokens are paid in for rewards.";
    PauseStaking "pause-staking" []
        "The Association stops the staking contract.";
    ResumeStaking "resume-staking" []
        "The Association lets the staking contract go on.";
    ApproveTokens "approve-tokens" ["spender", "token", "amount"]
        "A contract is allowed to take tokens.";
    SendTokens "send-tokens" ["to", "token", "amount"]
        "Tokens are sent to somebody.";
    Deposit "deposit" ["token", "amount"]
        "Tokens are handed over to the storage network.";
    WatchChain "watch-chain" []
        "An operator votes from now on for what the chain that holds the tokens has confirmed.";
    InventDeposit "invent-deposit" ["of", "token", "amount"]
        "An operator votes for a deposit that never was.";
    PostRoot "post-root" ["token", "signers", "forged"]
        "An operator has the root of a closed epoch signed, and posts it.";
    ClaimTokens "claim-tokens" ["token", "of", "again"]
        "What was withdrawn is claimed on the chain that holds the tokens.";
    Reorganise "reorganise" ["blocks", "lose"]
        "The chain that holds the tokens undoes its last blocks.";
}

table! {
    /// What can go wrong.
    pub(crate) enum FaultVerb;
    Crash "crash" ["node"] "A node's process dies and comes back.";
    Split "split" ["sides"] "Nodes hear only their own side.";
    Isolate "isolate" ["node"] "A node hears no other.";
    SplitLeader "split-leader" ["side"] "The leader is cut off with some followers.";
    OneWay "one-way" ["from", "to"] "Messages one way get lost.";
    Lossy "lossy" ["loss"] "Messages between nodes get lost at a rate.";
    Slow "slow" ["delay"] "Messages between nodes take longer.";
    Offline "offline" ["party"] "A party does nothing and hears nothing.";
    Clock "clock" ["of", "offset", "drift"] "A clock is wrong.";
    Stop "stop" ["node"] "A node's process ends when asked to, and comes back.";
    Pause "pause" ["node"] "A node does nothing for a while, and does not know it.";
    Wipe "wipe" ["node"] "A node loses its process and its disk, and comes back.";
    RollBack "roll-back" ["node"] "A node comes back with an older copy of its disk.";
    Stall "stall" ["from", "to"] "Messages one way wait.";
    Refuse "refuse" ["from", "to"] "Messages one way are turned away.";
    Reset "reset" ["from", "to"] "A connection one way breaks once.";
    LostReply "lost-reply" ["party", "node"] "Answers to a party's transactions get lost.";
    DuplicatedRequest "duplicated-request" ["party"] "A party's requests reach the node twice.";
    SlowClients "slow-clients" ["delay"] "Requests and answers take longer.";
    SlippedIn "slipped-in" ["party"] "The leader puts an erasure nobody has signed into its next block.";
    ForgedQuorum "forged-quorum" ["node"] "A leader announces blocks with its own vote repeated.";
    Omitted "omitted" ["party"] "The leader leaves a party's transactions out of its blocks.";
    AlteredRow "altered-row" ["node", "party"] "A party's row is altered on one node, behind its back.";
}

/// The keys every step knows.
pub(crate) const STEP_FIELDS: &[&str] = &[
    "at", "by", "do", "via", "wallet", "patience", "oddly", "expect", "shows",
];
/// The keys every fault knows.
pub(crate) const FAULT_FIELDS: &[&str] = &["at", "fault", "for"];

/// What is done on the chain that holds the tokens or has to do with it, as a pattern.
macro_rules! chain_verbs {
    () => {
        $crate::verb::Verb::Stake
            | $crate::verb::Verb::Unstake
            | $crate::verb::Verb::WithdrawUnstaked
            | $crate::verb::Verb::WithdrawReward
            | $crate::verb::Verb::AllowNode
            | $crate::verb::Verb::DisallowNode
            | $crate::verb::Verb::Slash
            | $crate::verb::Verb::WithdrawSlashed
            | $crate::verb::Verb::SetReward
            | $crate::verb::Verb::FundRewards
            | $crate::verb::Verb::PauseStaking
            | $crate::verb::Verb::ResumeStaking
            | $crate::verb::Verb::ApproveTokens
            | $crate::verb::Verb::SendTokens
            | $crate::verb::Verb::Deposit
            | $crate::verb::Verb::WatchChain
            | $crate::verb::Verb::InventDeposit
            | $crate::verb::Verb::PostRoot
            | $crate::verb::Verb::ClaimTokens
            | $crate::verb::Verb::Reorganise
    };
}
pub(crate) use chain_verbs;

/// What is done with tokens inside the storage network, as a pattern.
macro_rules! trade_verbs {
    () => {
        $crate::verb::Verb::PayGas
            | $crate::verb::Verb::Spend
            | $crate::verb::Verb::SetFee
            | $crate::verb::Verb::PayFee
            | $crate::verb::Verb::WithdrawTokens
            | $crate::verb::Verb::Transfer
            | $crate::verb::Verb::Lock
            | $crate::verb::Verb::Sweep
            | $crate::verb::Verb::Balance
            | $crate::verb::Verb::Allowance
            | $crate::verb::Verb::Fee
            | $crate::verb::Verb::Claims
    };
}
pub(crate) use trade_verbs;

impl Verb {
    pub(crate) const fn who(self) -> Who {
        match self {
            Verb::Register
            | Verb::Issue
            | Verb::Recognise
            | Verb::SetStatus
            | Verb::DeclareKeyInvalid
            | Verb::Overwrite
            | Verb::Rekey
            | Verb::WriteDwg
            | Verb::Describe
            | Verb::SetFee
            | Verb::BindWallet => Who::In(Role::Issuer),
            Verb::Request
            | Verb::Withdraw
            | Verb::AskEnclave
            | Verb::Ask
            | Verb::AskAgain
            | Verb::PresentAnswer => Who::In(Role::Consumer),
            Verb::LeakSession | Verb::TurnAway => Who::In(Role::Gateway),
            Verb::Behave => Who::In(Role::ShareNode),
            Verb::AppointLeader => Who::Operators,
            Verb::Reorganise => Who::In(Role::Chain),
            Verb::JoinValidators
            | Verb::ApproveJoin
            | Verb::RemoveValidator
            | Verb::LeaveValidators
            | Verb::Propose
            | Verb::ApproveProposal
            | Verb::WatchChain
            | Verb::InventDeposit
            | Verb::PostRoot => Who::Operator,
            _ => Who::Anyone,
        }
    }

    /// Whether it has to do with the chain that holds the tokens, so that which node is asked is no matter.
    pub(crate) const fn is_on_chain(self) -> bool {
        matches!(self, chain_verbs!())
    }

    /// The keys every step with this verb knows: operators reach all nodes at once and hold no wallet.
    pub(crate) const fn common(self) -> &'static [&'static str] {
        match self {
            Verb::AppointLeader | Verb::Reorganise => &["at", "by", "do", "expect", "shows"],
            _ if self.is_on_chain() => &["at", "by", "do", "wallet", "patience", "expect", "shows"],
            _ => STEP_FIELDS,
        }
    }
}
