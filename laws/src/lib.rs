//! How laws are tried: claims about everything that can be drawn, on few cases in every run of the tests,
//! and on ten thousand with `cargo test --release -- --ignored ten_thousand`. For tests only; start with
//! [`laws!`].

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
            pub(super) fn few() {
                law($crate::cases($few));
            }

            #[test]
            #[ignore = "it draws many cases"]
            pub(super) fn ten_thousand() {
                law($crate::cases($many));
            }
        }
    )+};
}

#[cfg(test)]
#[allow(
    unnameable_test_items,
    dead_code,
    reason = "the test runner finds no law inside of a test, so that nobody else calls it"
)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use proptest::prelude::*;

    static TRIED: AtomicU32 = AtomicU32::new(0);

    #[test]
    fn a_law_is_tried_as_often_as_it_says() {
        laws! {
            16, 64;

            fn it_counts(_drawn in any::<u8>()) {
                TRIED.fetch_add(1, Ordering::Relaxed);
            }
        }
        it_counts::few();
        assert_eq!(TRIED.swap(0, Ordering::Relaxed), 16);
        it_counts::ten_thousand();
        assert_eq!(TRIED.load(Ordering::Relaxed), 64);
    }

    #[test]
    #[should_panic(expected = "nothing is as it should be")]
    fn a_law_that_does_not_hold_fails() {
        laws! {
            16;

            fn it_fails(_drawn in any::<u8>()) {
                prop_assert!(false, "nothing is as it should be");
            }
        }
        it_fails::few();
    }

    #[test]
    #[should_panic(expected = "more than a hundred")]
    fn a_law_that_some_case_breaks_fails() {
        laws! {
            16;

            fn numbers_are_small(drawn in any::<u8>()) {
                prop_assert!(drawn <= 100, "more than a hundred");
            }
        }
        numbers_are_small::few();
    }
}
