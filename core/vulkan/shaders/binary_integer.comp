// SPDX-License-Identifier: Apache-2.0
// Element-wise functions of two integers, broadcast; -DWIDE=1: of 64 bits. They wrap but for powers,
// which saturate.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/any.glsl"
#include "lib/grid.glsl"

layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(constant_id = 2) const uint kFunction = 0;
layout(constant_id = 3) const uint kFrom = 2;
layout(constant_id = 4) const uint kTo = 2;
#include "lib/integer.glsl"
ANY_BUFFER(0, left);
ANY_BUFFER(1, right);
ANY_BUFFER(2, result);
layout(push_constant) uniform Push {
    uint outer;
    uint shape[8];
    uint left_strides[8];
    uint right_strides[8];
} p;

BITS combine(BITS a, BITS b) {
    uint row = 0;
    BITS y = a;
#define SLUICE_BINARY(Type, expression)                                                            \
    if (kFunction == row++) {                                                                      \
        y = BITS(expression);                                                                      \
    }
#include "lib/binary_integer.def"
#undef SLUICE_BINARY
    return y;
}

void main() {
    FOR_EACH_ELEMENT(x, y, z) {
        uint a = x * p.left_strides[0] + y * p.left_strides[1];
        uint b = x * p.right_strides[0] + y * p.right_strides[1];
        uint rest = z;
        for (uint axis = 2; rest != 0; ++axis) {
            const uint at = rest % p.shape[axis];
            rest /= p.shape[axis];
            a += at * p.left_strides[axis];
            b += at * p.right_strides[axis];
        }
        const uint place = x + p.shape[0] * (y + p.shape[1] * z);
        const BITS bits = combine(LOAD_BITS(left, kFrom, a), LOAD_BITS(right, kFrom, b));
        if (kTo == kInt8) {
            result_i8[place] = int8_t(int(uint(bits)));
        } else if (kTo == kUint8) {
            result_u8[place] = uint8_t(uint(bits));
        } else {
#ifdef WIDE
            result_u64[place] = bits;
#else
            result_u32[place] = bits;
#endif
        }
    }
}
