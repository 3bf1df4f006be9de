// SPDX-License-Identifier: Apache-2.0
// A frame's planes as they lie, sample by sample: words of imported buffers, or texels of imported
// images (-DSLUICE_IMAGES=1). Everything else is the same for both.

// Where component c lies: plane (2 bits), byte of the first sample (4), bytes to the next (4), then a
// bit each: chroma, subsampled across, subsampled down, present. The order is C++'s FrameConstants.
layout(constant_id = 0) const uint kComponent0 = 0;
layout(constant_id = 1) const uint kComponent1 = 0;
layout(constant_id = 2) const uint kComponent2 = 0;
layout(constant_id = 3) const uint kComponent3 = 0;
layout(constant_id = 4) const uint kBits = 8;
layout(constant_id = 5) const uint kTexelBytes = 0; // of each plane's image, 8 bits each

// Byte of a plane's first row in what is bound, and from a row to the next.
struct FramePlanes {
    uint base[3];
    uint stride[3];
};

#ifdef SLUICE_IMAGES
layout(set = 1, binding = 0) uniform sampler2D image0;
layout(set = 1, binding = 1) uniform sampler2D image1;
layout(set = 1, binding = 2) uniform sampler2D image2;
#else
layout(std430, set = 0, binding = 0) readonly buffer Plane0 { uint words[]; } plane0;
layout(std430, set = 0, binding = 1) readonly buffer Plane1 { uint words[]; } plane1;
layout(std430, set = 0, binding = 2) readonly buffer Plane2 { uint words[]; } plane2;
#endif

uint component(uint c) {
    return c == 0u ? kComponent0 : c == 1u ? kComponent1 : c == 2u ? kComponent2 : kComponent3;
}
uint plane_of(uint c) { return component(c) & 3u; }
uint first_byte(uint c) { return (component(c) >> 2u) & 15u; }
uint step_bytes(uint c) { return (component(c) >> 6u) & 15u; }
bool is_chroma(uint c) { return (component(c) & (1u << 10u)) != 0u; }
uint shift_x(uint c) { return (component(c) >> 11u) & 1u; }
uint shift_y(uint c) { return (component(c) >> 12u) & 1u; }
bool is_present(uint c) { return (component(c) & (1u << 13u)) != 0u; }
uint sample_bytes() { return kBits > 8u ? 2u : 1u; }

// A frame's columns or rows at a component's resolution.
uint subsampled(uint size, uint shift) { return (size + (1u << shift) - 1u) >> shift; }

// The code in the word that holds the byte `at`; samples of two bytes lie at even ones.
float code_in(uint word, uint at) {
    const uint shifted = word >> ((at & 3u) * 8u);
    return float(kBits == 8u ? shifted & 255u : (shifted & 65535u) >> (16u - kBits));
}

// 0..255, or 0..1023 in 10-bit formats.
float load_sample(FramePlanes frame, uint c, uint column, uint row) {
    const uint place = first_byte(c) + column * step_bytes(c);
    const uint plane = plane_of(c);
#ifdef SLUICE_IMAGES
    const uint texel_bytes = (kTexelBytes >> (8u * plane)) & 255u;
    const ivec2 at = ivec2(place / texel_bytes, row);
    const vec4 texel = plane == 0u   ? texelFetch(image0, at, 0)
                       : plane == 1u ? texelFetch(image1, at, 0)
                                     : texelFetch(image2, at, 0);
    const float unit = texel[(place % texel_bytes) / sample_bytes()];
    return kBits == 8u ? round(unit * 255.0)
                       : float(uint(round(unit * 65535.0)) >> (16u - kBits));
#else
    const uint at = frame.base[plane] + row * frame.stride[plane] + place;
    const uint word = plane == 0u   ? plane0.words[at >> 2u]
                      : plane == 1u ? plane1.words[at >> 2u]
                                    : plane2.words[at >> 2u];
    return code_in(word, at);
#endif
}
