//! How laws are tried: claims about everything that can be drawn, on few cases in every run of the tests,
//! and on ten thousand with `cargo test --release -- --ignored`. For tests only; start with [`laws!`].

pub use proptest;

use proptest::test_runner::{Config, RngSeed};

/// So many cases from a fixed seed, so that every run of the tests is the same.
pub fn cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        // What a law sets aside as not its business grows with the number of cases.
        max_global_rejects: cases.saturating_mul(10),
        ..Config::default()
    }
}

/// Laws, each a test named `few` that draws the number of cases written first, and an ignored one named
/// `ten_thousand`, in a module of the law's name. A law that runs whole networks may say after the number
/// how many cases stand for ten thousand.
///
/// ```
/// use assay_laws::laws;
/// use proptest::prelude::*;
///
/// laws! {
///     256;
///
///     /// What is turned round twice is what it was.
///     fn turning_round_is_its_own_inverse(bytes in proptest::collection::vec(any::<u8>(), 0..99)) {
///         let twice: Vec<u8> = bytes.iter().rev().copied().rev().collect();
///         prop_assert_eq!(twice, bytes);
///     }
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! laws {
    ($few:expr; $($laws:tt)+) => {
        $crate::laws! { $few, 10_000; $($laws)+ }
    };
    ($few:expr, $many:expr; $($(#[$meta:meta])* fn $name:ident($($drawn:tt)*) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "not every law needs what stands around it")]
            use super::*;

            fn law(config: $crate::proptest::test_runner::Config) {
                $crate::proptest::proptest!(config, |($($drawn)*)| $body);
            }

            #[test]
            fn few() {
                law($crate::cases($few));
            }

            #[test]
            #[ignore = "it draws ten thousand cases"]
            fn ten_thousand() {
                law($crate::cases($many));
            }
        }
    )+};
}
