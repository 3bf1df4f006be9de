// SPDX-License-Identifier: Apache-2.0
// TFLite networks of int8 and uint8 against the integer arithmetic of TFLite's quantisation
// specification: sums in int32, scaled by a multiplier of 31 bits and a shift.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "core/engine.h"
#include "tests/models/tflite_writer.h"
#include "tests/support/must.h"

namespace sluice::models::test {
namespace {

using schema::ActivationFunctionType;
using schema::BuiltinOperator;
using schema::TensorType;
using sluice::testing::must;

// TFLite's way of multiplying an int32 by a real factor.
std::int32_t scaled(std::int32_t x, double factor) {
    int shift = 0;
    const double mantissa = std::frexp(factor, &shift);
    auto multiplier = static_cast<std::int64_t>(std::round(mantissa * (1LL << 31)));
    if (multiplier == 1LL << 31) {
        multiplier /= 2;
        ++shift;
    }
    const int right = 31 - shift; // all factors here are below 1
    const std::int64_t product = x * multiplier;
    return static_cast<std::int32_t>((product + (1LL << (right - 1))) >> right);
}

struct Bytes {
    TensorType type;
    float scale;
    int zero;

    [[nodiscard]] int low() const { return type == TensorType::INT8 ? -128 : 0; }
    [[nodiscard]] int clamped(int value) const { return std::clamp(value, low(), low() + 255); }
    [[nodiscard]] int at(std::uint8_t bits) const {
        return type == TensorType::INT8 ? static_cast<std::int8_t>(bits) : int{bits};
    }
};

flatbuffers::Offset<schema::QuantizationParameters> quantization(TfliteWriter& w,
                                                                 const std::vector<float>& scales,
                                                                 std::vector<std::int64_t> zeros,
                                                                 int axis = 0) {
    const auto scale = w.fbb().CreateVector(scales);
    const auto zero = w.fbb().CreateVector(zeros);
    return schema::CreateQuantizationParameters(w.fbb(), scale, zero,
                                                schema::QuantizationDetails::NONE, 0, axis);
}
flatbuffers::Offset<schema::QuantizationParameters> quantization(TfliteWriter& w, const Bytes& q) {
    return quantization(w, {q.scale}, {q.zero});
}

std::vector<std::uint8_t> random_bytes(std::size_t count, std::mt19937& random) {
    std::vector<std::uint8_t> bytes(count);
    std::ranges::generate(bytes, [&] {
        return static_cast<std::uint8_t>(std::uniform_int_distribution<int>(0, 255)(random));
    });
    return bytes;
}

std::vector<std::uint8_t> run(const std::vector<std::byte>& file,
                              const std::vector<std::uint8_t>& x, DeviceKind device) {
    auto model = must(load_model(file_of(file), "test", {}));
    const auto executable = must(compile(std::move(model.graph), {.device = device, .threads = 1}));
    std::ranges::copy(std::as_bytes(std::span(x)), executable->input(0).begin());
    must(executable->run());
    const auto y = executable->output(0);
    std::vector<std::uint8_t> bytes(y.size());
    std::memcpy(bytes.data(), y.data(), y.size());
    return bytes;
}

void expect_one_step(const Bytes& q, const std::vector<int>& expected,
                     const std::vector<std::uint8_t>& actual) {
    ASSERT_EQ(expected.size(), actual.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_LE(std::abs(q.at(actual[i]) - expected[i]), 1) << i;
    }
}

// conv2d 3x3, SAME, stride 1, RELU6.
void check_conv(const Bytes& x_type, const Bytes& y_type, bool per_channel, DeviceKind device) {
    constexpr int kSize = 7, kIn = 5, kOut = 19;
    std::mt19937 random(3);
    const auto x = random_bytes(kSize * kSize * kIn, random);
    const auto w = random_bytes(kOut * 9 * kIn, random);
    std::vector<std::int32_t> bias(kOut);
    std::vector<float> scales;
    for (std::int32_t& b : bias) {
        b = std::uniform_int_distribution<int>(-9000, 9000)(random);
        scales.push_back(per_channel || scales.empty()
                             ? std::uniform_real_distribution<float>(0.002F, 0.004F)(random)
                             : scales[0]);
    }
    const Bytes weight{x_type.type, 0, x_type.type == TensorType::INT8 ? 0 : 117};

    TfliteWriter writer;
    std::vector<float> bias_scales;
    for (const float scale : scales) {
        bias_scales.push_back(scale * x_type.scale);
    }
    const std::size_t count = per_channel ? kOut : 1;
    const auto head = [&](const std::vector<float>& all) {
        return std::vector(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
    };
    const auto in =
        writer.tensor({1, kSize, kSize, kIn}, x_type.type, "x", {quantization(writer, x_type), 0});
    const auto filter = writer.constant<std::uint8_t>(
        {kOut, 3, 3, kIn}, x_type.type, w,
        {quantization(writer, head(scales), std::vector<std::int64_t>(count, weight.zero)), 0});
    const auto offset = writer.constant<std::int32_t>(
        {kOut}, TensorType::INT32, bias,
        {quantization(writer, head(bias_scales), std::vector<std::int64_t>(count, 0)), 0});
    const auto out =
        writer.tensor({1, kSize, kSize, kOut}, y_type.type, "y", {quantization(writer, y_type), 0});
    writer.op(BuiltinOperator::CONV_2D, {in, filter, offset}, {out},
              schema::CreateConv2DOptions(writer.fbb(), schema::Padding::SAME, 1, 1,
                                          ActivationFunctionType::RELU6));

    std::vector<int> expected;
    const int low = y_type.clamped(y_type.zero);
    const int high =
        y_type.clamped(static_cast<int>(std::round(6.0F / y_type.scale)) + y_type.zero);
    for (int at = 0; at < kSize * kSize * kOut; ++at) {
        const int o = at % kOut, px = at / kOut % kSize, py = at / kOut / kSize;
        std::int32_t sum = bias[static_cast<std::size_t>(o)];
        for (int tap = 0; tap < 9; ++tap) {
            const int ix = px + tap % 3 - 1, iy = py + tap / 3 - 1;
            for (int i = 0; i < kIn && ix >= 0 && iy >= 0 && ix < kSize && iy < kSize; ++i) {
                const auto from = static_cast<std::size_t>((iy * kSize + ix) * kIn + i);
                const auto by = static_cast<std::size_t>((o * 9 + tap) * kIn + i);
                sum += (x_type.at(x[from]) - x_type.zero) * (weight.at(w[by]) - weight.zero);
            }
        }
        const double factor = static_cast<double>(x_type.scale) *
                              static_cast<double>(scales[static_cast<std::size_t>(o)]) /
                              static_cast<double>(y_type.scale);
        expected.push_back(std::clamp(scaled(sum, factor) + y_type.zero, low, high));
    }
    const auto actual = run(writer.finish({in}, {out}), x, device);
    expect_one_step(y_type, expected, actual);
    // They are no constants.
    EXPECT_GT(std::ranges::max(expected) - std::ranges::min(expected), 100);
}

TEST(TfliteQuantized, convolutions_are_tflites_to_one_step) {
    for (const DeviceKind device : {DeviceKind::Reference, DeviceKind::Cpu}) {
        check_conv({TensorType::INT8, 0.02F, -3}, {TensorType::INT8, 0.024F, -128}, true, device);
        check_conv({TensorType::INT8, 0.02F, 12}, {TensorType::INT8, 0.05F, 1}, false, device);
        check_conv({TensorType::UINT8, 0.02F, 121}, {TensorType::UINT8, 0.024F, 0}, false, device);
    }
}

// ADD of a tensor and its quantised form, and RESHAPE, SOFTMAX and QUANTIZE behind it: scales of
// both sides differ, and each tensor's own holds.
TEST(TfliteQuantized, tensors_have_scales_of_their_own) {
    const Bytes x_type{TensorType::INT8, 0.05F, 7};
    const Bytes y_type{TensorType::INT8, 0.11F, -20};
    const Bytes z_type{TensorType::UINT8, 0.11F, 108};
    for (const DeviceKind device : {DeviceKind::Reference, DeviceKind::Cpu}) {
        TfliteWriter writer;
        const auto x = writer.tensor({2, 32}, x_type.type, "x", {quantization(writer, x_type), 0});
        const auto y = writer.tensor({2, 32}, y_type.type, "y", {quantization(writer, y_type), 0});
        const auto flat = writer.tensor({64}, y_type.type, "f", {quantization(writer, y_type), 0});
        const auto z = writer.tensor({64}, z_type.type, "z", {quantization(writer, z_type), 0});
        writer.op(BuiltinOperator::ADD, {x, x}, {y},
                  schema::CreateAddOptions(writer.fbb(), ActivationFunctionType::NONE));
        writer.op(BuiltinOperator::RESHAPE, {y, writer.ints({64})}, {flat});
        writer.op(BuiltinOperator::QUANTIZE, {flat}, {z});
        std::mt19937 random(5);
        const auto bytes = random_bytes(64, random);
        const auto actual = run(writer.finish({x}, {z}), bytes, device);
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const double value = 2.0 * 0.05 * (x_type.at(bytes[i]) - x_type.zero);
            const int sum = y_type.clamped(static_cast<int>(std::round(value / 0.11)) - 20);
            EXPECT_LE(std::abs(int{actual[i]} - (sum + 128)), 1) << i;
        }
    }
}

TEST(TfliteQuantized, mixed_files_dequantise_where_they_say) {
    TfliteWriter writer;
    const Bytes q{TensorType::UINT8, 0.5F, 10};
    const auto x = writer.tensor({3}, TensorType::UINT8, "x", {quantization(writer, q), 0});
    const auto y = writer.tensor({3});
    writer.op(BuiltinOperator::DEQUANTIZE, {x}, {y});
    const auto bytes = run(writer.finish({x}, {y}), {0, 10, 255}, DeviceKind::Cpu);
    std::vector<float> floats(3);
    std::memcpy(floats.data(), bytes.data(), bytes.size());
    EXPECT_EQ(floats, (std::vector<float>{-5.0F, 0.0F, 122.5F}));
}

} // namespace
} // namespace sluice::models::test
