// SPDX-License-Identifier: Apache-2.0
// Integers whose type is the constant kFrom, as their bits, widened to BITS: 32 of them, or 64 with
// -DWIDE=1 for int64 and uint64, which need shaderInt64. Needs lib/any.glsl and kFrom.
#ifdef WIDE
#define BITS uint64_t
#define SIGNED_BITS int64_t
const uint kWidth = 64;
#else
#define BITS uint
#define SIGNED_BITS int
const uint kWidth = 32;
#endif

bool is_signed_type(uint type) { return type == kInt32 || type == kInt8 || type == kInt64; }
bool is_negative(BITS x) { return is_signed_type(kFrom) && (x >> (kWidth - 1)) != 0; }
bool is_less(BITS a, BITS b) {
    return is_negative(a) != is_negative(b) ? is_negative(a) : a < b;
}
// Wraps at the smallest number, whose bits are its magnitude's.
BITS magnitude_of(BITS x) { return is_negative(x) ? BITS(0) - x : x; }

// Truncates; x / 0 is 0.
BITS quotient(BITS a, BITS b) {
    if (b == 0) {
        return BITS(0);
    }
    const BITS magnitude = magnitude_of(a) / magnitude_of(b);
    return is_negative(a) != is_negative(b) ? BITS(0) - magnitude : magnitude;
}

// The largest magnitude of the type's numbers of that sign.
BITS limit_of(bool negative) {
    const uint bits = kFrom == kInt8 || kFrom == kUint8 ? 8u : kWidth;
    const BITS half_range = BITS(1) << (bits - 1);
    if (is_signed_type(kFrom)) {
        return negative ? half_range : half_range - 1;
    }
    return half_range - 1 + half_range;
}

// a^b, truncated and saturated.
BITS integer_power(BITS a, BITS b) {
    const bool negative = is_negative(a) && (b & BITS(1)) != 0;
    BITS base = magnitude_of(a);
    const BITS limit = limit_of(negative);
    if (is_negative(b)) {
        if (base == 0) {
            return limit; // infinite
        }
        return base != 1 ? BITS(0) : (negative ? BITS(0) - BITS(1) : BITS(1));
    }
    BITS product = BITS(1);
    for (BITS rest = b; rest != 0; rest >>= 1) {
        if ((rest & BITS(1)) != 0) {
            product = base != 0 && product > limit / base ? limit : product * base;
        }
        base = base != 0 && base > limit / base ? limit : base * base;
    }
    return negative ? BITS(0) - product : product;
}
