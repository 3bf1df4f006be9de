// SPDX-License-Identifier: Apache-2.0
// The matte of a multi-class network: 1 - P(class 0), by softmax over each pixel's logits; with
// -DSLUICE_CLASSES=1 also the map of its classes: the first of the most probable ones, a byte a pixel.
#version 460

layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) readonly buffer Logits { float values[]; } logits;
layout(std430, set = 0, binding = 1) writeonly buffer Matte { float values[]; } matte;
#ifdef SLUICE_CLASSES
// An invocation owns a 32-bit word, so that no device needs 8-bit stores.
layout(std430, set = 0, binding = 2) writeonly buffer Classes { uint words[]; } classes;
const uint kPixels = 4u;
#else
const uint kPixels = 1u;
#endif
layout(push_constant) uniform Push {
    uint pixels;
    uint classes;
} push;

// Writes the pixel's matte; returns its class.
uint resolve(uint pixel) {
    const uint first = pixel * push.classes;
    uint best = 0u;
    float top = logits.values[first];
    for (uint i = 1u; i < push.classes; ++i) {
        const float value = logits.values[first + i];
        if (value > top) {
            top = value;
            best = i;
        }
    }
    float sum = 0.0;
    for (uint i = 0u; i < push.classes; ++i) {
        sum += exp(logits.values[first + i] - top);
    }
    matte.values[pixel] = 1.0 - exp(logits.values[first] - top) / sum;
    return best;
}

void main() {
    const uint begin = gl_GlobalInvocationID.x * kPixels;
    if (begin >= push.pixels) {
        return;
    }
    uint word = 0u;
    for (uint k = 0u; k < min(kPixels, push.pixels - begin); ++k) {
        word |= resolve(begin + k) << (8u * k);
    }
#ifdef SLUICE_CLASSES
    classes.words[gl_GlobalInvocationID.x] = word;
#endif
}
