//! What can stand behind `do` and `fault`: the names, who may use them, and the keys each one knows.

/// Who may take a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Issuer,
    Consumer,
    Operators,
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
    Issue "issue" ["to", "as", "how", "size", "forged", "unsealed"]
        "An issuer verifies a user and writes a credential.";
    SetStatus "set-status" ["credential", "status"]
        "An issuer states a new status for a credential.";
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
    Share "share" ["credential", "to", "as", "lock", "lock-until", "fidelity"]
        "A credential is copied for somebody, with a grant on the copy.";
    Approve "approve" ["request", "credential", "as", "lock", "lock-until", "fidelity"]
        "A request is answered with a copy and a grant.";
    Deny "deny" ["request"]
        "A request is refused.";
    Revoke "revoke" ["grant", "grants"]
        "Grants are ended, all or none of them.";
    Remove "remove" ["credential", "copy"]
        "A row is removed.";
    StoreAgain "store-again" ["credential", "as", "copy", "resigned"]
        "What an issuer handed over earlier is stored once more.";
    AddWallet "add-wallet" ["as", "type", "forged", "replayed"]
        "A further wallet is bound to the profile.";
    RemoveWallet "remove-wallet" ["which"]
        "A wallet is unbound.";
    Erase "erase" []
        "The whole profile is erased.";
    SignDag "sign-dag" ["copy", "credential", "to", "as", "lock", "lock-until", "owner", "carrier"]
        "A delegated grant is signed on paper and handed over.";
    SignDwg "sign-dwg" ["to", "issuer", "as", "lock", "lock-until", "from", "until"]
        "A delegated write is signed on paper and handed to the issuer.";
    AddAttribute "add-attribute" ["as"]
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
    Probe "probe" ["of", "shouted"]
        "Somebody asks whether a party has a profile.";
    Request "request" ["of", "as", "lock", "lock-until", "purpose"]
        "A consumer asks a user for access.";
    Use "use" ["copy", "least-lock", "least-lock-until", "posing-as"]
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
    Withdraw "withdraw" ["token", "amount"]
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
    AppointLeader "appoint-leader" ["node"]
        "The operators appoint a leader.";
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
}

/// The keys every step knows.
pub(crate) const STEP_FIELDS: &[&str] = &[
    "at", "by", "do", "via", "wallet", "patience", "expect", "shows",
];
/// The keys every fault knows.
pub(crate) const FAULT_FIELDS: &[&str] = &["at", "fault", "for"];

impl Verb {
    pub(crate) const fn who(self) -> Who {
        match self {
            Verb::Register
            | Verb::Issue
            | Verb::SetStatus
            | Verb::Overwrite
            | Verb::Rekey
            | Verb::WriteDwg
            | Verb::Describe
            | Verb::SetFee
            | Verb::BindWallet => Who::Issuer,
            Verb::Request => Who::Consumer,
            Verb::AppointLeader => Who::Operators,
            _ => Who::Anyone,
        }
    }

    /// The keys every step with this verb knows: operators reach all nodes at once and hold no wallet.
    pub(crate) const fn common(self) -> &'static [&'static str] {
        match self {
            Verb::AppointLeader => &["at", "by", "do", "expect", "shows"],
            _ => STEP_FIELDS,
        }
    }
}
