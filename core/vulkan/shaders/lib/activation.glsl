// SPDX-License-Identifier: Apache-2.0
// Any function of unary.def, picked when the pipeline is made: all but one are dead code.
#include "math.glsl"

precise float activate(uint kind, float x, float alpha, float beta) {
    uint row = 0;
    precise float y = x;
#define SLUICE_UNARY(Type, expression)                                                             \
    if (kind == row++) {                                                                           \
        y = expression;                                                                            \
    }
#include "unary.def"
#undef SLUICE_UNARY
    return y;
}
