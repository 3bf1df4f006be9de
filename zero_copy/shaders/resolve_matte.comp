// SPDX-License-Identifier: Apache-2.0
// The matte of a multi-class network: 1 - P(class 0), by softmax over each pixel's logits.
#version 460

layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) readonly buffer Logits { float values[]; } logits;
layout(std430, set = 0, binding = 1) writeonly buffer Matte { float values[]; } matte;
layout(push_constant) uniform Push {
    uint pixels;
    uint classes;
} push;

void main() {
    const uint pixel = gl_GlobalInvocationID.x;
    if (pixel >= push.pixels) {
        return;
    }
    const uint first = pixel * push.classes;
    float top = logits.values[first];
    for (uint i = 1u; i < push.classes; ++i) {
        top = max(top, logits.values[first + i]);
    }
    float sum = 0.0;
    for (uint i = 0u; i < push.classes; ++i) {
        sum += exp(logits.values[first + i] - top);
    }
    matte.values[pixel] = 1.0 - exp(logits.values[first] - top) / sum;
}
