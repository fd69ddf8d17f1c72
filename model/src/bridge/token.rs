//! Tokens, amounts of them, and whose they are.

use std::fmt;

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use crate::crypto::eip55;
use crate::id::{EpochId, Height};

/// The two tokens a network keeps a ledger of. Source: idos-facts 2.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Token {
    /// Pays gas.
    Idos,
    /// Pays issuers.
    Usdc,
}

impl Token {
    /// Both.
    pub const ALL: [Token; 2] = [Token::Idos, Token::Usdc];

    /// As actions name it.
    pub const fn name(self) -> &'static str {
        match self {
            Token::Idos => "IDOS",
            Token::Usdc => "USDC",
        }
    }

    /// The token of this name, in exactly this spelling.
    pub fn parse(name: &str) -> Option<Token> {
        Token::ALL.into_iter().find(|token| token.name() == name)
    }

    /// The namespace of its ledger.
    pub const fn namespace(self) -> &'static str {
        match self {
            Token::Idos => "idos_token_bridge",
            Token::Usdc => "usdc_token_bridge",
        }
    }

    /// The token whose ledger lives in a namespace.
    pub fn of_namespace(namespace: &str) -> Option<Token> {
        let is = |token: &Token| token.namespace() == namespace;
        Token::ALL.into_iter().find(is)
    }

    /// Digits after the point that one whole unit has.
    pub const fn decimals(self) -> u32 {
        match self {
            Token::Idos => 18,
            Token::Usdc => 6,
        }
    }

    /// One whole unit, in base units.
    pub const fn unit(self) -> Amount {
        Amount(10_i128.pow(self.decimals()))
    }

    /// The contract on the other chain that holds deposits and pays claims. Source: schema addons.
    pub const fn escrow(self) -> Address {
        match self {
            Token::Idos => Address([
                0xb4, 0x79, 0xb9, 0xa1, 0xb3, 0xc2, 0xb5, 0xfb, 0xcc, 0xe6, 0xf9, 0xf9, 0xfd, 0xcd,
                0x2e, 0xeb, 0xd2, 0x9c, 0x21, 0x23,
            ]),
            Token::Usdc => Address([
                0x0e, 0x9b, 0x19, 0xb5, 0xe3, 0x36, 0x34, 0x21, 0xc0, 0xc1, 0x19, 0x40, 0x32, 0x30,
                0x60, 0x7c, 0xdc, 0xb6, 0x50, 0x19,
            ]),
        }
    }
}

/// Namespace of the ids of token ledgers. Source: kwil-db, erc20-bridge.
const LEDGERS: Uuid = Uuid::from_u128(0xb1f140d1_91cf_4bbe_8f78_8f17f6282fc2);

/// The other chain, as ledgers name it. Source: schema addons.
pub const CHAIN: &str = "arbitrum_one";

impl EpochId {
    /// UUIDv5 over the height an epoch began at, in the namespace of its ledger, which is a UUIDv5 over chain
    /// and escrow. Source: kwil-db, erc20-bridge.
    pub fn derive(token: Token, start: Height) -> EpochId {
        let ledger = format!("{CHAIN}{}", token.escrow());
        let ledger = Uuid::new_v5(&LEDGERS, ledger.as_bytes());
        EpochId(Uuid::new_v5(&ledger, &start.0.to_le_bytes()))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An amount of a token in base units.
///
/// Columns are NUMERIC(78,0); 128 bits hold more than there ever is of either token. An argument beyond
/// them is held as the largest or smallest there is, which no balance covers either, so it ends the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(pub i128);

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);

    /// Whether there is something.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The sum, if it can be held.
    pub const fn plus(self, other: Amount) -> Option<Amount> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Amount(sum)),
            None => None,
        }
    }

    /// What is left after taking so much, if that covers it.
    pub const fn less(self, other: Amount) -> Option<Amount> {
        match self.0.checked_sub(other.0) {
            Some(rest) if rest >= 0 => Some(Amount(rest)),
            _ => None,
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// JSON has no room for 128 bits, so an amount is written as text everywhere.
impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Read from the text it is written as.
impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Amount, D::Error> {
        let text = String::deserialize(from)?;
        let number = text.parse().map_err(D::Error::custom)?;
        Ok(Amount(number))
    }
}

/// So much of a token, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Allocation {
    /// Which token.
    pub token: Token,
    /// Whose.
    pub address: Address,
    /// How much.
    pub amount: Amount,
}

/// An account or contract of the other chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Address(pub [u8; 20]);

impl Address {
    /// An address from 40 hex digits in any case, with `0x` or without, as the bridge reads one; nothing
    /// else parses.
    pub fn parse(text: &str) -> Option<Address> {
        let digits = text
            .strip_prefix("0x")
            .or_else(|| text.strip_prefix("0X"))
            .unwrap_or(text);
        let mut address = [0; 20];
        hex::decode_to_slice(digits, &mut address).ok()?;
        Some(Address(address))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&eip55(&self.0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Address, D::Error> {
        let text = String::deserialize(from)?;
        Address::parse(&text).ok_or_else(|| D::Error::custom("not an address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_forty_digits_with_and_without_its_prefix() {
        let idos = Token::Idos.escrow();
        let text = "0xB479B9A1B3c2B5fBCcE6F9F9fDcd2EEBD29c2123";
        assert_eq!(idos.to_string(), text);
        for spelling in [text, &text[2..], &text.to_lowercase(), &text.to_uppercase()] {
            assert_eq!(Address::parse(spelling), Some(idos), "{spelling}");
        }
        for other in ["", "0x", &text[..41], &format!("{text}0"), "alice.near"] {
            assert_eq!(Address::parse(other), None, "{other}");
        }
    }

    #[test]
    fn nothing_below_zero_is_left() {
        let check = |from: i128, take: i128, left: Option<i128>| {
            assert_eq!(Amount(from).less(Amount(take)), left.map(Amount));
        };
        check(5, 3, Some(2));
        check(5, 5, Some(0));
        check(5, 6, None);
        check(0, i128::MAX, None);
        assert_eq!(Amount(i128::MAX).plus(Amount(1)), None);
    }

    #[test]
    fn tokens_are_found_by_name_and_namespace() {
        for token in Token::ALL {
            assert_eq!(Token::parse(token.name()), Some(token));
            assert_eq!(Token::of_namespace(token.namespace()), Some(token));
        }
        assert_eq!(Token::parse("idos"), None);
        assert_eq!(Token::of_namespace("main"), None);
    }
}
