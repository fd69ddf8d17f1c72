//! GF(2^8) with x^8+x^4+x^3+x+1, the field of AES. Addition is exclusive-or.

/// The polynomial without its leading term.
const POLYNOMIAL: u8 = 0x1b;

/// The product.
pub(super) fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b != 0 {
        if b & 1 != 0 {
            product ^= a;
        }
        let overflows = a & 0x80 != 0;
        a <<= 1;
        if overflows {
            a ^= POLYNOMIAL;
        }
        b >>= 1;
    }
    product
}

/// What gives 1 when multiplied with `a`, which is a^254 = a^2 a^4 … a^128; 0 has none, and gives 0.
pub(super) fn inverse(a: u8) -> u8 {
    let (mut power, mut square) = (1, a);
    for _ in 0..7 {
        square = multiply(square, square);
        power = multiply(power, square);
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of FIPS 197, sections 4.2 and 5.1.1.
    #[test]
    fn products_are_those_of_the_standard() {
        let table = [(0x57, 0x83, 0xc1), (0x57, 0x13, 0xfe), (0x53, 0xca, 0x01)];
        for (a, b, product) in table {
            assert_eq!(multiply(a, b), product, "{a:#x} {b:#x}");
            assert_eq!(multiply(b, a), product);
        }
    }

    #[test]
    fn everything_but_zero_has_an_inverse() {
        for a in 1..=255 {
            assert_eq!(multiply(a, inverse(a)), 1, "{a}");
        }
        assert_eq!(inverse(0), 0);
    }
}
