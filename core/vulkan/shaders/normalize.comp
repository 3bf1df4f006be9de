// SPDX-License-Identifier: Apache-2.0
// Normalisation by mean and variance of the elements themselves: a workgroup normalises one group.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/float.glsl"

layout(local_size_x_id = 0) in; // a power of two, at most 256
#include "lib/lanes.glsl"
layout(constant_id = 1) const bool kHasScale = false;
layout(constant_id = 2) const bool kHasBias = false;
layout(binding = 0) readonly buffer X { SCALAR from[]; };
layout(binding = 1) readonly buffer Scale { SCALAR scale[]; };
layout(binding = 2) readonly buffer Bias { SCALAR bias[]; };
layout(binding = 3) writeonly buffer Y { SCALAR to[]; };
layout(push_constant) uniform Push {
    uint groups;
    uint members;   // elements of one group
    uint kept_axes; // the first ones below; both halves innermost first
    uint axes;
    float epsilon;
    uint shape[8];
    uint strides[8];
    uint factor_strides[8]; // of scale and bias
} p;

// Of an element among the groups or within one: x, and y for scale and bias.
uvec2 place(uint flat_index, uint first_axis, uint end_axis) {
    uvec2 at = uvec2(0);
    for (uint axis = first_axis; axis < end_axis; ++axis) {
        const uint i = flat_index % p.shape[axis];
        at += i * uvec2(p.strides[axis], p.factor_strides[axis]);
        flat_index /= p.shape[axis];
    }
    return at;
}

void main() {
    for (uint group = gl_WorkGroupID.x; group < p.groups; group += gl_NumWorkGroups.x) {
        const uvec2 base = place(group, 0, p.kept_axes);
        float sum = 0.0;
        for (uint i = gl_LocalInvocationIndex; i < p.members; i += gl_WorkGroupSize.x) {
            sum += float(from[base.x + place(i, p.kept_axes, p.axes).x]);
        }
        const float mean = over_group(kTotal, sum) / float(p.members);
        float squares = 0.0;
        for (uint i = gl_LocalInvocationIndex; i < p.members; i += gl_WorkGroupSize.x) {
            const float centred = float(from[base.x + place(i, p.kept_axes, p.axes).x]) - mean;
            squares += centred * centred;
        }
        const float deviation =
            sqrt(over_group(kTotal, squares) / float(p.members) + p.epsilon);
        for (uint i = gl_LocalInvocationIndex; i < p.members; i += gl_WorkGroupSize.x) {
            const uvec2 at = base + place(i, p.kept_axes, p.axes);
            float value = (float(from[at.x]) - mean) / deviation;
            if (kHasScale) {
                value *= float(scale[at.y]);
            }
            if (kHasBias) {
                value += float(bias[at.y]);
            }
            to[at.x] = SCALAR(value);
        }
    }
}
