// SPDX-License-Identifier: Apache-2.0
// where: the element of one of two tensors by a condition, all broadcast.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_8bit_storage : require
#include "lib/word.glsl"
#include "lib/grid.glsl"

layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(binding = 0) readonly buffer Condition { uint8_t condition[]; };
layout(binding = 1) readonly buffer A { WORD if_true[]; };
layout(binding = 2) readonly buffer B { WORD if_false[]; };
layout(binding = 3) writeonly buffer Y { WORD result[]; };
layout(push_constant) uniform Push {
    uint outer;
    uint shape[6];
    uint condition_strides[6];
    uint true_strides[6];
    uint false_strides[6];
} p;

void main() {
    FOR_EACH_ELEMENT(x, y, z) {
        uint c = x * p.condition_strides[0] + y * p.condition_strides[1];
        uint a = x * p.true_strides[0] + y * p.true_strides[1];
        uint b = x * p.false_strides[0] + y * p.false_strides[1];
        uint rest = z;
        for (uint axis = 2; rest != 0; ++axis) {
            const uint at = rest % p.shape[axis];
            rest /= p.shape[axis];
            c += at * p.condition_strides[axis];
            a += at * p.true_strides[axis];
            b += at * p.false_strides[axis];
        }
        VALUE value = VALUE(if_false[b]);
        if (uint(condition[c]) != 0) {
            value = VALUE(if_true[a]);
        }
        result[x + p.shape[0] * (y + p.shape[1] * z)] = WORD(value);
    }
}
