// SPDX-License-Identifier: Apache-2.0
// quantize_linear: round(x / scale) + zero_point, saturated, block by block.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/any.glsl"
#include "lib/math.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kFrom = 0;
layout(constant_id = 1) const uint kTo = 0;
ANY_BUFFER(0, x);
ANY_BUFFER(1, scale);
ANY_BUFFER(2, zero);
ANY_BUFFER(3, y);
layout(push_constant) uniform Push {
    uint count;
    uint shape[8]; // innermost axis first
    uint block[8]; // elements of x that share a scale
    uint strides[8]; // of scale and zero point
} p;

// x / scale, rounded correctly: Vulkan allows division 2.5 units in the last place, and on which side
// of a tie a quotient falls depends on the last one.
float divide(float a, float b) {
    precise float quotient = a / b;
    const bool finite = (floatBitsToUint(quotient) & 0x7F800000u) != 0x7F800000u;
    if (!finite || quotient == 0.0) {
        return quotient;
    }
    const float corrected = quotient + fma(-quotient, b, a) / b;
    return corrected;
}

// Rounded, plus the zero point, within the type.
uint saturated_sum(float rounded, uint origin) {
    if (is_nan(rounded)) {
        return 0u;
    }
    if (kTo == kInt8) {
        return uint(int(clamp(rounded + float(int(origin)), -128.0, 127.0)));
    }
    if (kTo == kUint8) {
        return uint(clamp(rounded + float(origin), 0.0, 255.0));
    }
    // Of 32 bits: a float does not hold the sum. Beyond 2^32 either way nothing in between is left.
    if (rounded >= 4294967296.0) {
        return kTo == kUint32 ? 0xFFFFFFFFu : 0x7FFFFFFFu;
    }
    if (rounded <= -4294967296.0) {
        return kTo == kUint32 ? 0u : 0x80000000u;
    }
    const uint magnitude = uint(abs(rounded));
    if (kTo == kUint32) {
        if (rounded < 0.0) {
            return origin > magnitude ? origin - magnitude : 0u;
        }
        return magnitude > 0xFFFFFFFFu - origin ? 0xFFFFFFFFu : origin + magnitude;
    }
    // As a distance from the smallest number.
    const uint above = origin + 0x80000000u;
    uint moved = 0u;
    if (rounded < 0.0) {
        moved = above > magnitude ? above - magnitude : 0u;
    } else {
        moved = magnitude > 0xFFFFFFFFu - above ? 0xFFFFFFFFu : above + magnitude;
    }
    return moved - 0x80000000u;
}

void main() {
    for (uint i = gl_GlobalInvocationID.x; i < p.count; i += gl_NumWorkGroups.x * 64) {
        uint rest = i;
        uint at = 0;
        for (uint axis = 0; rest != 0; ++axis) {
            at += rest % p.shape[axis] / p.block[axis] * p.strides[axis];
            rest /= p.shape[axis];
        }
        float quotient = divide(LOAD_FLOAT(x, kFrom, i), LOAD_FLOAT(scale, kFrom, at));
        if (kFrom == kFloat16) { // rounded to its type, as a division of its own would
            quotient = unpackHalf2x16(packHalf2x16(vec2(quotient, 0.0))).x;
        }
        const uint bits = saturated_sum(roundEven(quotient), LOAD_BITS(zero, kTo, at));
        if (kTo == kInt8) {
            y_i8[i] = int8_t(int(bits));
        } else if (kTo == kUint8) {
            y_u8[i] = uint8_t(bits);
        } else {
            y_u32[i] = bits;
        }
    }
}
