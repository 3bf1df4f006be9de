// SPDX-License-Identifier: Apache-2.0
// When Winograd's form is taken, and its filters.
#include "core/vulkan/winograd.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/float16.h"

namespace sluice::vulkan {
namespace {

using Taps = std::array<double, 9>;

double read_tap(const graph::Operand& filter, std::size_t i) {
    const std::byte* at = filter.data.bytes.data() + i * graph::size_of(filter.desc.type());
    if (filter.desc.type() == graph::DataType::Float16) {
        std::uint16_t bits = 0;
        std::memcpy(&bits, at, sizeof(bits));
        return float16_to_float(bits);
    }
    float value = 0.0F;
    std::memcpy(&value, at, sizeof(value));
    return value;
}

// G (a, b, c)', times two, so that it is exact: 2a, a + b + c, a - b + c, 2c.
std::array<double, 4> spread(double a, double b, double c) {
    return {2 * a, a + b + c, a - b + c, 2 * c};
}

// G g G'.
std::array<double, 16> spread(const Taps& g) {
    std::array<std::array<double, 4>, 3> columns{};
    for (std::size_t x = 0; x < 3; ++x) {
        columns[x] = spread(g[x], g[3 + x], g[6 + x]);
    }
    std::array<double, 16> out{};
    for (std::size_t row = 0; row < 4; ++row) {
        const auto line = spread(columns[0][row], columns[1][row], columns[2][row]);
        std::ranges::transform(line, out.begin() + static_cast<std::ptrdiff_t>(row * 4),
                               [](double value) { return value / 4; });
    }
    return out;
}

} // namespace

bool is_winograd(const Context& context, const graph::Graph& graph, const Convolution& c) {
    const std::uint32_t least = context.tuning.winograd_channels;
    const bool form = !c.transposed && c.groups == 1 && c.kernel_height == 3 &&
                      c.kernel_width == 3 && c.strides == std::array{1U, 1U} &&
                      c.dilations == std::array{1U, 1U} && c.in.channels % 4 == 0;
    if (!form || least == 0 || c.in.channels < least || c.out.channels < least ||
        graph.operand(c.filter).kind != graph::OperandKind::Constant) {
        return false;
    }
    const std::size_t channels = std::max(c.in.channels, c.blocks() * 4);
    const std::size_t between = winograd_patches(c) * 16 * channels * sizeof(float);
    const std::size_t filter = std::size_t{c.blocks()} * 4 * c.in.channels * 16 * sizeof(float);
    return std::max(between, filter) <= context.profile.max_storage_range;
}

std::vector<float> winograd_filter(const graph::Graph& graph, const Convolution& c) {
    const graph::Operand& filter = graph.operand(c.filter);
    const FilterStrides& s = c.filter_strides;
    const std::size_t plane = std::size_t{c.blocks()} * 4 * c.in.channels;
    std::vector<float> out(plane * 16);
    for (std::size_t output = 0; output < c.out.channels; ++output) {
        for (std::size_t input = 0; input < c.in.channels; ++input) {
            Taps taps{};
            for (std::size_t tap = 0; tap < taps.size(); ++tap) {
                taps[tap] = read_tap(filter, output * s.output + input * s.input + tap / 3 * s.row +
                                                 tap % 3 * s.column);
            }
            const auto numbers = spread(taps);
            const std::size_t at = (output / 4 * c.in.channels + input) * 4 + output % 4;
            for (std::size_t k = 0; k < numbers.size(); ++k) {
                out[k * plane + at] = static_cast<float>(numbers[k]);
            }
        }
    }
    return out;
}

} // namespace sluice::vulkan
