// SPDX-License-Identifier: Apache-2.0
// cast: floats to integers truncate and saturate, NaN becomes 0; integers to integers wrap.
// -DWIDE=1: also from and to integers of 64 bits.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/any.glsl"
#include "lib/math.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kFrom = 0;
layout(constant_id = 1) const uint kTo = 0;
#include "lib/integer.glsl"
ANY_BUFFER(0, x);
ANY_BUFFER(1, y);
layout(push_constant) uniform Push { uint count; } p;

BITS saturate(float value) {
    if (is_nan(value)) {
        return BITS(0);
    }
    if (kTo == kInt8) {
        return BITS(int(clamp(value, -128.0, 127.0)));
    }
    if (kTo == kUint8) {
        return BITS(uint(clamp(value, 0.0, 255.0)));
    }
    if (kTo == kUint32) {
        return BITS(value >= 4294967296.0 ? 0xFFFFFFFFu : uint(max(value, 0.0)));
    }
#ifdef WIDE
    // The largest floats below 2^63 and 2^64 convert exactly.
    if (kTo == kUint64) {
        return value >= 18446744073709551616.0 ? ~BITS(0) : BITS(max(value, 0.0));
    }
    if (kTo == kInt64) {
        const BITS least = BITS(1) << 63;
        return value >= 9223372036854775808.0
                   ? least - 1
                   : (value <= -9223372036854775808.0 ? least : BITS(SIGNED_BITS(value)));
    }
#endif
    // The largest float below 2^31 converts exactly.
    return BITS(value >= 2147483648.0
                    ? 0x7FFFFFFFu
                    : (value <= -2147483648.0 ? 0x80000000u : uint(int(value))));
}

void main() {
    for (uint i = gl_GlobalInvocationID.x; i < p.count; i += gl_NumWorkGroups.x * 64) {
        float value = 0.0;
        BITS bits = BITS(0);
        if (is_float_type(kFrom)) {
            value = LOAD_FLOAT(x, kFrom, i);
            bits = is_float_type(kTo) ? BITS(0) : saturate(value);
        } else {
            bits = LOAD_BITS(x, kFrom, i);
            value = is_signed_type(kFrom) ? float(SIGNED_BITS(bits)) : float(bits);
        }
        if (kTo == kFloat32) {
            y_f32[i] = value;
        } else if (kTo == kFloat16) {
            y_f16[i] = float16_t(value);
        } else if (kTo == kInt8) {
            y_i8[i] = int8_t(int(uint(bits)));
        } else if (kTo == kUint8) {
            y_u8[i] = uint8_t(uint(bits));
#ifdef WIDE
        } else if (kTo == kInt64 || kTo == kUint64) {
            y_u64[i] = bits;
#endif
        } else {
            y_u32[i] = uint(bits);
        }
    }
}
