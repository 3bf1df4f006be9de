// SPDX-License-Identifier: Apache-2.0
// The stored type of float tensors: float32, or float16 with -DFLOAT16=1. Arithmetic is in float32.
#ifdef FLOAT16
#extension GL_EXT_shader_16bit_storage : require
#define SCALAR float16_t
#define VECTOR f16vec4
#else
#define SCALAR float
#define VECTOR vec4
#endif
