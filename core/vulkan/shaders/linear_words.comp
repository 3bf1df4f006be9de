// SPDX-License-Identifier: Apache-2.0
// out[i] = in[i] * scale + offset on 32-bit integers that wrap: what the device layer is tested with.
#version 460

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint kScale = 1;

layout(std430, set = 0, binding = 0) readonly buffer From { uint values[]; } from;
layout(std430, set = 0, binding = 1) writeonly buffer To { uint values[]; } to;

layout(push_constant) uniform Push {
    uint count;
    uint offset;
} push;

void main() {
    const uint i = gl_GlobalInvocationID.x;
    if (i >= push.count) {
        return;
    }
    to.values[i] = from.values[i] * kScale + push.offset;
}
