// SPDX-License-Identifier: Apache-2.0
// Functions whose built-in forms are too inexact, or whose NaNs the compiler need not keep.

// By their bits: compilers may assume that no float is NaN.
bool is_nan(float x) { return (floatBitsToUint(x) & 0x7FFFFFFFu) > 0x7F800000u; }
bool is_infinite(float x) { return (floatBitsToUint(x) & 0x7FFFFFFFu) == 0x7F800000u; }

// NaN stays NaN.
float at_least_0(float x) { return x < 0.0 ? 0.0 : x; }
float at_most(float x, float bound) { return x > bound ? bound : x; }

// exp(x) - 1 without the cancellation around 0: its series there.
float exp_minus_1(float x) {
    const float series =
        x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0 +
                                                                     x * (1.0 / 720.0))))));
    return abs(x) < 0.3 ? series : exp(x) - 1.0;
}

// Large arguments saturate before exp() overflows.
float hyperbolic_tangent(float x) {
    const float t = exp_minus_1(-2.0 * min(abs(x), 16.0));
    const float magnitude = -t / (2.0 + t);
    return is_nan(x) ? x : (x < 0.0 ? -magnitude : magnitude);
}

// Polynomials fitted at Chebyshev nodes: erf(x) / x over x^2 up to 1, and -log(erfc(x)) from 1 to 4,
// beyond which erf is 1. Within 3 units in the last place.
float error_function(float x) {
    const float t = min(abs(x), 4.0);
    const float s = t * t;
    const float inner =
        t * (1.12837911 + s * (-0.37612626 + s * (0.112835974 + s * (-0.0268543288 +
            s * (0.00518931216 + s * (-0.000801885501 + s * 7.88249745e-05))))));
    const float exponent = 0.000756968628 + t * (1.1259259 + t * (0.639093339 + t * (0.103318982 +
        t * (-0.0226219855 + t * (0.00343686761 + t * (-0.000317572034 + t * 1.33093909e-05))))));
    const float magnitude = t < 1.0 ? inner : 1.0 - exp(-exponent);
    return is_nan(x) ? x : (x < 0.0 ? -magnitude : magnitude);
}

// Vulkan promises only 2^-11 of its sin() and cos(), so: x = quarter * pi / 2 + rest, with pi / 2
// in three pieces whose products with small integers are exact, and the series of the rest.
float sine_of_quarter(float x, int shift) {
    const float quarter = roundEven(x * 0.63661977236758134);
    precise float rest = x - quarter * 1.5703125;
    rest = rest - quarter * 4.837512969970703125e-4;
    rest = rest - quarter * 7.5497899548918821e-8;
    const float s = rest * rest;
    const float odd =
        rest * (1.0 + s * (-1.0 / 6.0 + s * (1.0 / 120.0 + s * (-1.0 / 5040.0 + s / 362880.0))));
    const float even =
        1.0 + s * (-0.5 + s * (1.0 / 24.0 + s * (-1.0 / 720.0 + s * (1.0 / 40320.0 - s / 3628800.0))));
    const int turn = int(quarter) + shift;
    const float value = (turn & 1) == 0 ? odd : even;
    return (turn & 2) == 0 ? value : -value;
}
float sine(float x) { return sine_of_quarter(x, 0); }
float cosine(float x) { return sine_of_quarter(x, 1); }

// pow() of C: GLSL's has no negative bases.
float power(float a, float b) {
    if (b == 0.0 || a == 1.0) {
        return 1.0;
    }
    if (is_nan(a) || is_nan(b)) {
        return a + b;
    }
    if (b == 1.0) {
        return a;
    }
    if (b == 2.0) {
        return a * a;
    }
    const float magnitude = pow(abs(a), b);
    if (a >= 0.0) {
        return a == 0.0 ? (b > 0.0 ? 0.0 : uintBitsToFloat(0x7F800000u)) : magnitude;
    }
    if (floor(b) != b) {
        return uintBitsToFloat(0x7FC00000u);
    }
    // Floats from 2^24 on are even.
    const bool odd = abs(b) < 16777216.0 && (int(b) & 1) != 0;
    return odd ? -magnitude : magnitude;
}
