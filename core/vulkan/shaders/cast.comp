// SPDX-License-Identifier: Apache-2.0
// cast: floats to integers truncate and saturate, NaN becomes 0; integers to integers wrap.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/any.glsl"
#include "lib/math.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kFrom = 0;
layout(constant_id = 1) const uint kTo = 0;
ANY_BUFFER(0, x);
ANY_BUFFER(1, y);
layout(push_constant) uniform Push { uint count; } p;

uint saturate(float value) {
    if (is_nan(value)) {
        return 0u;
    }
    if (kTo == kInt8) {
        return uint(int(clamp(value, -128.0, 127.0)));
    }
    if (kTo == kUint8) {
        return uint(clamp(value, 0.0, 255.0));
    }
    if (kTo == kUint32) {
        return value >= 4294967296.0 ? 0xFFFFFFFFu : uint(max(value, 0.0));
    }
    // The largest float below 2^31 converts exactly.
    return value >= 2147483648.0 ? 0x7FFFFFFFu
                                 : (value <= -2147483648.0 ? 0x80000000u : uint(int(value)));
}

void main() {
    for (uint i = gl_GlobalInvocationID.x; i < p.count; i += gl_NumWorkGroups.x * 64) {
        float value = 0.0;
        uint bits = 0;
        if (is_float_type(kFrom)) {
            value = LOAD_FLOAT(x, kFrom, i);
            bits = is_float_type(kTo) ? 0u : saturate(value);
        } else {
            bits = LOAD_BITS(x, kFrom, i);
            value = kFrom == kUint32 ? float(bits) : float(int(bits));
        }
        if (kTo == kFloat32) {
            y_f32[i] = value;
        } else if (kTo == kFloat16) {
            y_f16[i] = float16_t(value);
        } else if (kTo == kInt8) {
            y_i8[i] = int8_t(int(bits));
        } else if (kTo == kUint8) {
            y_u8[i] = uint8_t(bits);
        } else {
            y_u32[i] = bits;
        }
    }
}
