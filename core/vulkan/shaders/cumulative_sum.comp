// SPDX-License-Identifier: Apache-2.0
// cumulative_sum: an invocation runs along one line. Integers wrap; floats are summed with the error
// of every step kept and added again, as the host's sums in double come out.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/any.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kType = 0;
layout(constant_id = 1) const bool kExclusive = false;
layout(constant_id = 2) const bool kReversed = false;
ANY_BUFFER(0, x);
ANY_BUFFER(1, y);
layout(push_constant) uniform Push {
    uint lines;
    uint members; // of a line
    uint stride;  // of the axis
} p;

void main() {
    for (uint line = gl_GlobalInvocationID.x; line < p.lines; line += gl_NumWorkGroups.x * 64) {
        const uint base = line / p.stride * p.stride * p.members + line % p.stride;
        uint bits = 0;
        precise float sum = 0.0;
        precise float lost = 0.0;
        for (uint i = 0; i < p.members; ++i) {
            const uint at = base + (kReversed ? p.members - 1 - i : i) * p.stride;
            if (!is_float_type(kType)) {
                const uint before = bits;
                bits += x_u32[at];
                y_u32[at] = kExclusive ? before : bits;
                continue;
            }
            const float value = LOAD_FLOAT(x, kType, at);
            precise float before = sum + lost;
            precise float next = sum + value;
            precise float taken = next - sum;
            lost += (sum - (next - taken)) + (value - taken);
            sum = next;
            // Infinities have no error.
            precise float after = sum + lost;
            const bool finite = (floatBitsToUint(sum) & 0x7F800000u) != 0x7F800000u;
            if (!finite) {
                lost = 0.0;
                after = sum;
            }
            const float result = kExclusive ? before : after;
            if (kType == kFloat32) {
                y_f32[at] = result;
            } else {
                y_f16[at] = float16_t(result);
            }
        }
    }
}
