// SPDX-License-Identifier: Apache-2.0
// pad: every output element from the place that its axis' padding mode names.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/word.glsl"
#include "lib/grid.glsl"

layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(constant_id = 2) const uint kMode = 0; // ops::PaddingMode: constant, edge, reflection
layout(binding = 0) readonly buffer From { WORD from[]; };
layout(binding = 1) writeonly buffer To { WORD to[]; };
layout(push_constant) uniform Push {
    uint outer;
    uint low, high; // the bits of the constant
    uint shape[8];  // of the output
    int beginning[8];
    int size[8]; // of the input
} p;

VALUE constant_value() {
#if WORD_BITS == 64
    return VALUE(p.low, p.high);
#else
    return VALUE(p.low);
#endif
}

// Where output index `at` of an axis reads; negative where the constant shows.
int source(uint at, uint axis) {
    const int size = p.size[axis];
    const int i = int(at) - p.beginning[axis];
    if (i >= 0 && i < size) {
        return i;
    }
    if (kMode == 1) {
        return clamp(i, 0, size - 1);
    }
    return kMode == 2 ? (i < 0 ? -i : 2 * (size - 1) - i) : -1;
}

void main() {
    FOR_EACH_ELEMENT(x, y, z) {
        int at = source(x, 0);
        int lowest = at;
        int stride = p.size[0];
        const int row = source(y, 1);
        lowest = min(lowest, row);
        at += row * stride;
        uint rest = z;
        for (uint axis = 2; axis < 8; ++axis) {
            stride *= p.size[axis - 1];
            const int from_axis = source(rest % p.shape[axis], axis);
            rest /= p.shape[axis];
            lowest = min(lowest, from_axis);
            at += from_axis * stride;
        }
        VALUE value = constant_value();
        if (lowest >= 0) {
            value = VALUE(from[at]);
        }
        to[x + p.shape[0] * (y + p.shape[1] * z)] = WORD(value);
    }
}
