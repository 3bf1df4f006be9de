// SPDX-License-Identifier: Apache-2.0
// Reductions: a workgroup reduces one group of elements, first each invocation its share.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/float.glsl"

layout(local_size_x_id = 0) in; // a power of two, at most 256
#include "lib/lanes.glsl"
layout(constant_id = 1) const uint kKind = 8; // as in reduce.def
const uint kL1 = 0, kL2 = 1, kLogSum = 2, kLogSumExp = 3, kMax = 4, kMean = 5, kMin = 6,
           kProduct = 7, kSum = 8, kSumSquare = 9;
layout(binding = 0) readonly buffer X { SCALAR from[]; };
layout(binding = 1) writeonly buffer Y { SCALAR to[]; };
layout(push_constant) uniform Push {
    uint groups;    // elements of the output
    uint members;   // elements of one group
    uint kept_axes; // the first ones below; both halves innermost first
    uint axes;
    uint shape[8];
    uint strides[8];
} p;

uint place(uint flat_index, uint first_axis, uint end_axis) {
    uint at = 0;
    for (uint axis = first_axis; axis < end_axis; ++axis) {
        at += flat_index % p.shape[axis] * p.strides[axis];
        flat_index /= p.shape[axis];
    }
    return at;
}

uint how_of(uint kind) {
    return kind == kMax       ? kLargestOf
           : kind == kMin     ? kSmallestOf
           : kind == kProduct ? kProductOf
                              : kTotal;
}

// Of the whole group, in every invocation.
float reduce(uint kind, uint base, float top) {
    float share = kind == kProduct ? 1.0 : 0.0;
    if (kind == kMax || kind == kMin) {
        share = float(from[base]);
    }
    for (uint i = gl_LocalInvocationIndex; i < p.members; i += gl_WorkGroupSize.x) {
        float value = float(from[base + place(i, p.kept_axes, p.axes)]);
        if (kind == kL1) {
            value = abs(value);
        } else if (kind == kL2 || kind == kSumSquare) {
            value = value * value;
        } else if (kind == kLogSumExp) {
            value = exp(value - top);
        }
        share = merge(how_of(kind), share, value);
    }
    return over_group(how_of(kind), share);
}

void main() {
    for (uint group = gl_WorkGroupID.x; group < p.groups; group += gl_NumWorkGroups.x) {
        const uint base = place(group, 0, p.kept_axes);
        float top = 0.0;
        if (kKind == kLogSumExp) {
            // The largest exponent is taken out, so that nothing overflows.
            top = reduce(kMax, base, 0.0);
        }
        float result = top;
        if (kKind != kLogSumExp || !(is_nan(top) || is_infinite(top))) {
            result = reduce(kKind, base, top);
            if (kKind == kL2) {
                result = sqrt(result);
            } else if (kKind == kLogSum) {
                result = log(result);
            } else if (kKind == kLogSumExp) {
                result = top + log(result);
            } else if (kKind == kMean) {
                result /= float(p.members);
            }
        }
        if (gl_LocalInvocationIndex == 0) {
            to[group] = SCALAR(result);
        }
    }
}
