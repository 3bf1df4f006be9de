// SPDX-License-Identifier: Apache-2.0
// Reductions over the invocations of a workgroup, whose result every invocation gets: pairs in shared
// memory, or, with -DSUBGROUP=1, the subgroups' own instructions and shared memory between subgroups
// only. A NaN is the largest and the smallest of all. To be included behind the layout that says the
// size of the workgroup, which would be 1 before it.
#ifdef SUBGROUP
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif
#include "math.glsl"

const uint kTotal = 0, kProductOf = 1, kLargestOf = 2, kSmallestOf = 3;

shared float shares[256];

float merge(uint how, float a, float b) {
    if (how == kLargestOf) {
        return is_nan(b) || b > a ? b : a; // a NaN wins and stays
    }
    if (how == kSmallestOf) {
        return is_nan(b) || b < a ? b : a;
    }
    return how == kProductOf ? a * b : a + b;
}

#ifdef SUBGROUP
// Numbers in the order of the floats, NaNs the largest: what subgroupMax() makes of NaNs is open.
uint to_ordinal(float x) {
    const uint bits = floatBitsToUint(x);
    return is_nan(x) ? 0xFFFFFFFFu : ((bits >> 31) != 0 ? ~bits : bits | 0x80000000u);
}
float from_ordinal(uint ordinal) {
    return uintBitsToFloat((ordinal >> 31) != 0 ? ordinal & 0x7FFFFFFFu : ~ordinal);
}

float over_subgroup(uint how, float value) {
    if (how == kLargestOf) {
        return from_ordinal(subgroupMax(to_ordinal(value)));
    }
    if (how == kSmallestOf) {
        return -from_ordinal(subgroupMax(to_ordinal(-value)));
    }
    return how == kProductOf ? subgroupMul(value) : subgroupAdd(value);
}

float over_group(uint how, float value) {
    const float mine = over_subgroup(how, value);
    if (gl_NumSubgroups == 1) {
        return mine;
    }
    barrier(); // the last reader of `shares` is done
    if (subgroupElect()) {
        shares[gl_SubgroupID] = mine;
    }
    barrier();
    float result = shares[0];
    for (uint i = 1; i < gl_NumSubgroups; ++i) {
        result = merge(how, result, shares[i]);
    }
    return result;
}
#else
float over_group(uint how, float value) {
    barrier(); // the last reader of `shares` is done
    shares[gl_LocalInvocationIndex] = value;
    for (uint half_size = gl_WorkGroupSize.x / 2; half_size > 0; half_size /= 2) {
        barrier();
        if (gl_LocalInvocationIndex < half_size) {
            shares[gl_LocalInvocationIndex] =
                merge(how, shares[gl_LocalInvocationIndex],
                      shares[gl_LocalInvocationIndex + half_size]);
        }
    }
    barrier();
    return shares[0];
}
#endif
