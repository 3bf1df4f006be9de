// SPDX-License-Identifier: Apache-2.0
// The stored type of float tensors: float32, or float16 with -DFLOAT16=1. Arithmetic is in float32;
// with -DHALF_MATH=1 the products and short sums of matrix products are in float16 (PART), what they
// add up to is in float32.
#ifdef FLOAT16
#extension GL_EXT_shader_16bit_storage : require
#define SCALAR float16_t
#define VECTOR f16vec4
#else
#define SCALAR float
#define VECTOR vec4
#endif
#ifdef HALF_MATH
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define PART float16_t
#define PART_VECTOR f16vec4
#else
#define PART float
#define PART_VECTOR vec4
#endif
