// SPDX-License-Identifier: Apache-2.0
// concat: lines of up to seven tensors behind each other, counted in words.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/word.glsl"

layout(local_size_x = 64) in;
layout(binding = 0) readonly buffer A { WORD a[]; };
layout(binding = 1) readonly buffer B { WORD b[]; };
layout(binding = 2) readonly buffer C { WORD c[]; };
layout(binding = 3) readonly buffer D { WORD d[]; };
layout(binding = 4) readonly buffer E { WORD e[]; };
layout(binding = 5) readonly buffer F { WORD f[]; };
layout(binding = 6) readonly buffer G { WORD g[]; };
layout(binding = 7) writeonly buffer Y { WORD to[]; };
layout(push_constant) uniform Push {
    uint lines;
    uint line;    // words of a line of the result
    uint start;   // where the first piece begins in it
    uint ends[7]; // of each piece, in the words of all; of those that there are not, the last's
} p;

VALUE read(uint piece, uint at) {
    switch (piece) {
    case 0: return VALUE(a[at]);
    case 1: return VALUE(b[at]);
    case 2: return VALUE(c[at]);
    case 3: return VALUE(d[at]);
    case 4: return VALUE(e[at]);
    case 5: return VALUE(f[at]);
    }
    return VALUE(g[at]);
}

void main() {
    const uint words = p.ends[6]; // of all pieces in one line
    const uint count = p.lines * words;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += gl_NumWorkGroups.x * 64) {
        const uint line = i / words;
        const uint within = i - line * words;
        uint piece = 0;
        uint begin = 0;
        while (within >= p.ends[piece]) {
            begin = p.ends[piece];
            ++piece;
        }
        const VALUE value = read(piece, line * (p.ends[piece] - begin) + within - begin);
        to[line * p.line + p.start + within] = WORD(value);
    }
}
