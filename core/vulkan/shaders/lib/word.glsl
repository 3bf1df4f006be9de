// SPDX-License-Identifier: Apache-2.0
// WORD_BITS: the size of the elements that a shader moves without looking at them. VALUE: the same in
// a variable, for which 8 and 16 bits would need more than storage.
#if WORD_BITS == 8
#extension GL_EXT_shader_8bit_storage : require
#define WORD uint8_t
#define VALUE uint
#elif WORD_BITS == 16
#extension GL_EXT_shader_16bit_storage : require
#define WORD uint16_t
#define VALUE uint
#elif WORD_BITS == 32
#define WORD uint
#define VALUE uint
#elif WORD_BITS == 64
#define WORD uvec2
#define VALUE uvec2
#elif WORD_BITS == 128
#define WORD uvec4
#define VALUE uvec4
#endif
