// SPDX-License-Identifier: Apache-2.0
// Tensors whose type is a specialisation constant, numbered as graph::DataType: one buffer seen as
// every type of up to 32 bits, with -DWIDE=1 also as those of 64.
#extension GL_EXT_shader_8bit_storage : require
#extension GL_EXT_shader_16bit_storage : require
#ifdef WIDE
#extension GL_ARB_gpu_shader_int64 : require
#endif

const uint kFloat32 = 0, kFloat16 = 1, kInt32 = 2, kUint32 = 3, kInt64 = 4, kUint64 = 5, kInt8 = 6,
           kUint8 = 7;

#ifdef WIDE
#define WIDE_BUFFER(number, Name)                                                                  \
    layout(binding = number) buffer Name##U64 { uint64_t Name##_u64[]; };
#else
#define WIDE_BUFFER(number, Name)
#endif
#define ANY_BUFFER(number, Name)                                                                   \
    WIDE_BUFFER(number, Name)                                                                      \
    layout(binding = number) buffer Name##F32 { float Name##_f32[]; };                             \
    layout(binding = number) buffer Name##F16 { float16_t Name##_f16[]; };                         \
    layout(binding = number) buffer Name##U32 { uint Name##_u32[]; };                              \
    layout(binding = number) buffer Name##I8 { int8_t Name##_i8[]; };                              \
    layout(binding = number) buffer Name##U8 { uint8_t Name##_u8[]; }

bool is_float_type(uint type) { return type == kFloat32 || type == kFloat16; }

// Of float types.
#define LOAD_FLOAT(Name, type, i) (type == kFloat32 ? Name##_f32[i] : float(Name##_f16[i]))
// Of integer types: the bits of the number, widened.
#ifdef WIDE
#define LOAD_BITS(Name, type, i)                                                                   \
    (type == kInt64 || type == kUint64                                                             \
         ? Name##_u64[i]                                                                           \
         : (type == kInt8                                                                          \
                ? uint64_t(int64_t(int(Name##_i8[i])))                                             \
                : (type == kUint8 ? uint64_t(uint(Name##_u8[i]))                                   \
                                  : (type == kInt32 ? uint64_t(int64_t(int(Name##_u32[i])))        \
                                                    : uint64_t(Name##_u32[i])))))
#else
#define LOAD_BITS(Name, type, i)                                                                   \
    (type == kInt8 ? uint(int(Name##_i8[i]))                                                       \
                   : (type == kUint8 ? uint(Name##_u8[i]) : Name##_u32[i]))
#endif
