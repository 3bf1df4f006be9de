// SPDX-License-Identifier: Apache-2.0
// Writing one plane of a frame in place: an invocation owns a 32-bit word of a row, so that no device
// needs 8-bit stores. Words at a row's ends may hold bytes of others: those are merged atomically.
// The including shader defines new_sample().
layout(constant_id = 6) const uint kPlane = 0;
layout(constant_id = 7) const uint kWritten = 7; // components that are written, a bit each

layout(std430, set = 0, binding = 5) buffer Target { uint words[]; } target;

struct TargetPlane {
    uint base; // byte of the plane's first row in what is bound
    uint stride;
    uint row_bytes;
    uint first_row;
    uint end_row;
};

// What new_sample() returns for a sample that stays as it is.
const float kKeep = -1e30;
float new_sample(uint c, uint column, uint row, float old);

// To the nearest code, saturated; what is not a number is 0.
uint to_code(float value) {
    const float top = float((1u << kBits) - 1u);
    return value > 0.0 ? uint(roundEven(min(value, top))) << (kBits == 8u ? 0u : 16u - kBits) : 0u;
}

void write_word(TargetPlane plane, uint index, uint row) {
    if (row >= plane.end_row) {
        return;
    }
    const uint begin = plane.base + row * plane.stride;
    const uint end = begin + plane.row_bytes;
    const uint word = (begin >> 2u) + index;
    if (word * 4u >= end) {
        return;
    }
    const bool own = word * 4u >= begin && word * 4u + 4u <= end;
    const uint old = own ? target.words[word] : atomicOr(target.words[word], 0u);
    const uint sample_mask = kBits == 8u ? 255u : 65535u;
    uint value = 0u;
    uint written = 0u;
    for (uint k = 0u; k < 4u; k += sample_bytes()) {
        const uint at = word * 4u + k;
        if (at < begin || at >= end) {
            continue;
        }
        for (uint c = 0u; c < 4u; ++c) {
            if ((kWritten & (1u << c)) == 0u || !is_present(c) || plane_of(c) != kPlane ||
                (at - begin) % step_bytes(c) != first_byte(c)) {
                continue;
            }
            const uint column = (at - begin) / step_bytes(c);
            const float sample_value = new_sample(c, column, row, code_in(old, at));
            if (sample_value != kKeep) {
                value |= to_code(sample_value) << (8u * k);
                written |= sample_mask << (8u * k);
            }
        }
    }
    if (written == 0u) {
        return;
    }
    if (own) {
        target.words[word] = (old & ~written) | value;
    } else {
        atomicAnd(target.words[word], ~written);
        atomicOr(target.words[word], value);
    }
}
