// SPDX-License-Identifier: Apache-2.0
// Element-wise functions of one integer; -DWIDE=1: of 64 bits. They wrap.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/any.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kFunction = 0;
layout(constant_id = 1) const uint kFrom = 2;
#include "lib/integer.glsl"
ANY_BUFFER(0, x);
ANY_BUFFER(1, y);
layout(push_constant) uniform Push {
    uint count;
    uint alpha_low, alpha_high, beta_low, beta_high; // of the parameters' bits
} p;

BITS evaluate(BITS x) {
#ifdef WIDE
    const BITS alpha = packUint2x32(uvec2(p.alpha_low, p.alpha_high));
    const BITS beta = packUint2x32(uvec2(p.beta_low, p.beta_high));
#else
    const BITS alpha = p.alpha_low;
    const BITS beta = p.beta_low;
#endif
    uint row = 0;
    BITS y = x;
#define SLUICE_UNARY(Type, expression)                                                             \
    if (kFunction == row++) {                                                                      \
        y = BITS(expression);                                                                      \
    }
#include "lib/unary_integer.def"
#undef SLUICE_UNARY
    return y;
}

void main() {
    for (uint i = gl_GlobalInvocationID.x; i < p.count; i += gl_NumWorkGroups.x * 64) {
        const BITS bits = evaluate(LOAD_BITS(x, kFrom, i));
        if (kFrom == kInt8) {
            y_i8[i] = int8_t(int(uint(bits)));
        } else if (kFrom == kUint8) {
            y_u8[i] = uint8_t(uint(bits));
        } else {
#ifdef WIDE
            y_u64[i] = bits;
#else
            y_u32[i] = bits;
#endif
        }
    }
}
