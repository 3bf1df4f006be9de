// SPDX-License-Identifier: Apache-2.0
// A matte of floats read at the places of a frame's samples, bilinear; 0 outside its region.
layout(std430, set = 0, binding = 3) readonly buffer Tables { uint words[]; } tables;
layout(std430, set = 0, binding = 4) readonly buffer Matte { float values[]; } matte;

// Tables of columns and rows, of luma and of chroma: three words a sample: the first tap, the
// second's weight, and whether the sample lies in the region.
struct MattePlace {
    uint columns[2];
    uint rows[2];
    uint width;
    uint height;
};

float table(uint at) { return uintBitsToFloat(tables.words[at]); }

float matte_at(MattePlace place, bool chroma, uint column, uint row) {
    const uint grid = chroma ? 1u : 0u;
    const uint across = place.columns[grid] + 3u * column;
    const uint down = place.rows[grid] + 3u * row;
    if (tables.words[across + 2u] == 0u || tables.words[down + 2u] == 0u) {
        return 0.0;
    }
    const uint left = tables.words[across];
    const uint right = min(left + 1u, place.width - 1u);
    const uint upper = tables.words[down] * place.width;
    const uint lower = min(tables.words[down] + 1u, place.height - 1u) * place.width;
    const float weight = table(across + 1u);
    const float top = mix(matte.values[upper + left], matte.values[upper + right], weight);
    const float bottom = mix(matte.values[lower + left], matte.values[lower + right], weight);
    return clamp(mix(top, bottom, table(down + 1u)), 0.0, 1.0);
}
