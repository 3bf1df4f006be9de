// SPDX-License-Identifier: Apache-2.0
// Element-wise functions of two floats, broadcast; -DCOMPARE=1: with a truth value as uint8.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/float.glsl"
#include "lib/activation.glsl"
#include "lib/grid.glsl"
#ifdef COMPARE
#extension GL_EXT_shader_8bit_storage : require
#define RESULT uint8_t
#else
#define RESULT SCALAR
#endif

layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(constant_id = 2) const uint kFunction = 0;
layout(constant_id = 3) const uint kActivation = 0;
layout(binding = 0) readonly buffer A { SCALAR left[]; };
layout(binding = 1) readonly buffer B { SCALAR right[]; };
layout(binding = 2) writeonly buffer Y { RESULT result[]; };
layout(push_constant) uniform Push {
    uint outer;
    float alpha, beta;
    uint shape[8];
    uint left_strides[8];
    uint right_strides[8];
} p;

precise float combine(float a, float b) {
    uint row = 0;
    precise float y = a;
#define SLUICE_BINARY(Type, expression)                                                            \
    if (kFunction == row++) {                                                                      \
        y = expression;                                                                            \
    }
#include "lib/binary.def"
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
        const float value = combine(float(left[a]), float(right[b]));
#ifdef COMPARE
        result[place] = uint8_t(uint(value));
#else
        result[place] = SCALAR(activate(kActivation, value, p.alpha, p.beta));
#endif
    }
}
