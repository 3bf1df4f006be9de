// SPDX-License-Identifier: Apache-2.0
// Winograd convolution: blocks of tiles are transformed, multiplied place by place, and transformed
// back while they are in the cache.
#include "core/cpu/winograd.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/cpu/cache_size.h"
#include "core/cpu/packed_weights.h"
#include "core/cpu/partition.h"
#include "core/cpu/winograd_kernel.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

// The finite points and what the filter is multiplied with at each, as the other two transforms ask
// for: one over the product of the distances to the other points. The last point is infinity, where
// a filter has its last value.
struct Point {
    double at, factor;
};
constexpr double kNear2 = double{kNearPoint} * double{kNearPoint};
constexpr double kFar2 = double{kFarPoint} * double{kFarPoint};
constexpr double kNearFactor = 0.5 / (kNear2 * (kNear2 - kFar2));
constexpr double kFarFactor = 0.5 / (kFar2 * (kFar2 - kNear2));
constexpr Point kPoints[kWinogradTile - 1] = {
    {0.0, 1.0 / (kNear2 * kFar2)}, {kNearPoint, kNearFactor}, {-kNearPoint, kNearFactor},
    {kFarPoint, kFarFactor},       {-kFarPoint, kFarFactor},
};

std::size_t pixels_of(const ConvShape& s) { // of a tile's side
    return kWinogradTile + 1 - s.kernel_width;
}

std::size_t tiles_of(const ConvShape& s) {
    return s.batch * div_ceil(s.out_height, pixels_of(s)) * div_ceil(s.out_width, pixels_of(s));
}

class WinogradConv final : public runtime::Kernel {
public:
    WinogradConv(const ConvShape& shape, std::vector<PackedWeights> weights, AlignedFloats bias)
        : shape_(shape), kernels_(winograd_kernels()), gemm_(gemm_kernels()),
          weights_(std::move(weights)), bias_(std::move(bias)), pixels_(pixels_of(shape)),
          tiles_x_(div_ceil(shape.out_width, pixels_)),
          tiles_y_(div_ceil(shape.out_height, pixels_)), tiles_(tiles_of(shape)) {
        const std::size_t channels = std::max(shape.in_channels, shape.out_channels);
        block_ = std::min(block_tiles(channels), tiles_);
        // An odd number of cache lines: places at a power of two would fall on each other.
        stride_ = (align_up(block_ * channels, 16) / 16 | 1U) * 16;
        patch_floats_ = align_up(kWinogradProducts * shape.in_channels, 16);
    }

    void run(const runtime::KernelIo& io) const override {
        const Partition work = divide(io.threads.threads());
        auto* const scratch = reinterpret_cast<float*>(io.scratch);
        io.threads.parallel_for(
            div_ceil(tiles_, block_), work.grain, [&](std::size_t begin, std::size_t end) {
                float* const mine = scratch + begin / work.grain * scratch_floats();
                for (std::size_t i = begin; i < end; ++i) {
                    run_block(io, i * block_, std::min((i + 1) * block_, tiles_), mine);
                }
            });
    }
    [[nodiscard]] std::size_t scratch_bytes(unsigned threads) const override {
        return divide(threads).chunks * scratch_floats() * sizeof(float);
    }

private:
    static constexpr std::size_t kTileStep = 12; // rows of the matrix product's kernels

    // So many that they and the weights, which every block goes through, stay in the cache; or,
    // where the weights do not fit, so many that fetching those pays off.
    [[nodiscard]] std::size_t block_tiles(std::size_t channels) const {
        const std::size_t cache = l2_cache_bytes() * 7 / 8;
        const std::size_t weights = weights_[0].byte_size() * kWinogradProducts;
        const std::size_t room = weights < cache ? cache - weights : 0;
        const std::size_t fitting = room / (kWinogradProducts * channels * sizeof(float));
        return std::clamp(fitting / kTileStep, std::size_t{2}, std::size_t{4}) * kTileStep;
    }

    struct Position {
        std::size_t image, y, x; // of the first output pixel
    };
    [[nodiscard]] Position position(std::size_t tile) const {
        return {.image = tile / (tiles_x_ * tiles_y_),
                .y = tile / tiles_x_ % tiles_y_ * pixels_,
                .x = tile % tiles_x_ * pixels_};
    }
    [[nodiscard]] Partition divide(unsigned threads) const {
        const double pixels = static_cast<double>(block_ * pixels_ * pixels_);
        return partition(div_ceil(tiles_, block_), shape_.flops_per_pixel() * pixels / 3, threads);
    }
    [[nodiscard]] std::size_t scratch_floats() const {
        return (kWinogradProducts + 1) * stride_ + patch_floats_;
    }
    void run_block(const runtime::KernelIo& io, std::size_t begin, std::size_t end,
                   float* scratch) const;
    void transform(const runtime::KernelIo& io, const Position& at, float* to, float* patch) const;
    void write(const runtime::KernelIo& io, const Position& at, const float* sums) const;

    ConvShape shape_;
    const WinogradKernels& kernels_;
    const GemmKernels& gemm_;
    std::vector<PackedWeights> weights_; // [product]
    AlignedFloats bias_;
    std::size_t pixels_;
    std::size_t tiles_x_, tiles_y_, tiles_;
    std::size_t block_ = 0;  // tiles that are transformed at a time
    std::size_t stride_ = 0; // floats from the tiles of one product to those of the next
    std::size_t patch_floats_ = 0;
};

void WinogradConv::run_block(const runtime::KernelIo& io, std::size_t begin, std::size_t end,
                             float* scratch) const {
    const ConvShape& s = shape_;
    // The sums of a product take the place of the input of the one before it, which is done with.
    float* const sums = scratch;
    float* const inputs = sums + stride_;
    float* const patch = inputs + kWinogradProducts * stride_;
    for (std::size_t tile = begin; tile < end; ++tile) {
        transform(io, position(tile), inputs + (tile - begin) * s.in_channels, patch);
    }
    static constexpr std::ptrdiff_t kNoOffset = 0;
    GemmTile product{};
    product.offsets = &kNoOffset;
    product.segment_count = 1;
    product.segment_length = product.pixel_stride = s.in_channels;
    product.output_stride = s.out_channels;
    for (std::size_t p = 0; p < kWinogradProducts; ++p) {
        product.input = inputs + p * stride_;
        product.output = sums + p * stride_;
        for (const PackedWeights::Panel& panel : weights_[p].panels()) {
            run_panel(gemm_, panel, 0, end - begin, product);
        }
    }
    for (std::size_t tile = begin; tile < end; ++tile) {
        write(io, position(tile), sums + (tile - begin) * s.out_channels);
    }
}

void WinogradConv::transform(const runtime::KernelIo& io, const Position& at, float* to,
                             float* patch) const {
    const ConvShape& s = shape_;
    const std::size_t row = s.in_width * s.in_channels;
    const float* const image = io.input<float>(0) + at.image * s.in_height * row;
    WinogradInput tile{.input = nullptr,
                       .row_stride = row,
                       .channels = s.in_channels,
                       .output = to,
                       .product_stride = stride_};
    const bool inside = at.y >= s.pad_top && at.x >= s.pad_left &&
                        at.y - s.pad_top + kWinogradTile <= s.in_height &&
                        at.x - s.pad_left + kWinogradTile <= s.in_width;
    if (inside) {
        tile.input = image + (at.y - s.pad_top) * row + (at.x - s.pad_left) * s.in_channels;
        return kernels_.input(tile);
    }
    tile.input = patch;
    tile.row_stride = kWinogradTile * s.in_channels;
    // Columns [begin, end) of the tile are inside the picture.
    const std::size_t begin = std::min(s.pad_left - std::min(s.pad_left, at.x), kWinogradTile);
    const std::size_t limit = s.in_width + s.pad_left;
    const std::size_t end = std::max(begin, std::min(limit - std::min(limit, at.x), kWinogradTile));
    for (std::size_t y = 0; y < kWinogradTile; ++y) {
        float* const line = patch + y * tile.row_stride;
        std::fill_n(line, tile.row_stride, 0.0F);
        const std::size_t from = at.y + y;
        if (from >= s.pad_top && from - s.pad_top < s.in_height && end > begin) {
            std::memcpy(line + begin * s.in_channels,
                        image + (from - s.pad_top) * row +
                            (at.x + begin - s.pad_left) * s.in_channels,
                        (end - begin) * s.in_channels * sizeof(float));
        }
    }
    kernels_.input(tile);
}

void WinogradConv::write(const runtime::KernelIo& io, const Position& at, const float* sums) const {
    const ConvShape& s = shape_;
    const std::size_t first =
        ((at.image * s.out_height + at.y) * s.out_width + at.x) * s.out_channels;
    const WinogradOutput tile{
        .sums = sums,
        .product_stride = stride_,
        .channels = s.out_channels,
        .bias = bias_.get(),
        .residual =
            s.residual_channels == 0 ? nullptr : io.input<float>(io.inputs.size() - 1) + first,
        .output = io.output<float>(0) + first,
        .row_stride = s.out_width * s.out_channels,
        .rows = std::min(pixels_, s.out_height - at.y),
        .columns = std::min(pixels_, s.out_width - at.x),
        .bounds = bounds_of(s.activation),
    };
    (pixels_ == 4 ? kernels_.output4 : kernels_.output2)(tile);
    if (!is_bounds(s.activation.kind)) {
        for (std::size_t y = 0; y < tile.rows; ++y) {
            gemm_.activate(tile.output + y * tile.row_stride, tile.columns * s.out_channels,
                           s.activation);
        }
    }
}

} // namespace

double winograd_filter_factor(std::size_t place, std::size_t tap, std::size_t taps) {
    if (place == kWinogradTile - 1) {
        return tap == taps - 1 ? 1.0 : 0.0;
    }
    double factor = kPoints[place].factor;
    for (std::size_t i = 0; i < tap; ++i) {
        factor *= kPoints[place].at;
    }
    return factor;
}

bool allows_winograd() {
    const char* text = std::getenv("SLUICE_CPU_WINOGRAD");
    return text == nullptr || std::string_view(text) != "off";
}

bool suits_winograd(const ConvShape& s) {
    // A window that lies beside the picture sums nothing but rounding of the rest of its tile.
    const bool touches = s.pad_top < s.kernel_height && s.pad_left < s.kernel_width &&
                         s.out_height <= s.in_height + s.pad_top &&
                         s.out_width <= s.in_width + s.pad_left;
    const bool possible = touches && s.groups == 1 && s.stride_x == 1 && s.stride_y == 1 &&
                          s.dilation_x == 1 && s.dilation_y == 1 &&
                          s.kernel_width == s.kernel_height &&
                          (s.kernel_width == 3 || s.kernel_width == 5) &&
                          (s.residual_channels == 0 || s.residual_channels == s.out_channels) &&
                          s.in_channels >= 16 && s.out_channels >= 16;
    if (!possible) {
        return false;
    }
    // In cycles of a core with 16 multiply-adds a cycle. What the transforms take for a vector of
    // channels of a tile is counted from their instructions.
    constexpr double kPeak = 16.0;
    constexpr double kInputCycles = 150.0;
    constexpr double kOutputCycles = 110.0;
    constexpr double kBytesPerCycle = 8.0; // of weights from the last-level cache
    const auto in = static_cast<double>(s.in_channels);
    const auto out = static_cast<double>(s.out_channels);
    const auto tiles = static_cast<double>(tiles_of(s));
    const double pixels = static_cast<double>(s.batch * s.out_height * s.out_width);
    const double direct = pixels * s.flops_per_pixel() / 2 / (0.85 * kPeak);
    const double products = static_cast<double>(kWinogradProducts) * in * out;
    const double transformed =
        tiles * (products / (0.8 * kPeak) + kInputCycles * in / 8 + kOutputCycles * out / 8) +
        products * sizeof(float) / kBytesPerCycle;
    return transformed < 0.85 * direct;
}

namespace {

// The filters as the products take them: [product][input][output].
std::vector<float> transformed_filters(const ConvShape& s, const ConvConstants& data) {
    const std::size_t taps = s.kernel_width;
    const std::size_t count = s.in_channels * s.out_channels;
    std::vector<float> products(kWinogradProducts * count);
    std::array<std::array<double, 5>, kWinogradTile> factors{};
    for (std::size_t place = 0; place < kWinogradTile; ++place) {
        for (std::size_t tap = 0; tap < taps; ++tap) {
            factors[place][tap] = winograd_filter_factor(place, tap, taps);
        }
    }
    for (std::size_t i = 0; i < s.in_channels; ++i) {
        for (std::size_t o = 0; o < s.out_channels; ++o) {
            std::array<std::array<double, 5>, kWinogradTile> rows{};
            for (std::size_t p = 0; p < kWinogradProducts; ++p) { // rows first, then both
                const std::size_t place = p / kWinogradTile;
                for (std::size_t x = 0; p % kWinogradTile == 0 && x < taps; ++x) {
                    for (std::size_t y = 0; y < taps; ++y) {
                        rows[place][x] +=
                            factors[place][y] * static_cast<double>(data.at(o, y, x, i));
                    }
                }
                double value = 0.0;
                for (std::size_t x = 0; x < taps; ++x) {
                    value += factors[p % kWinogradTile][x] * rows[place][x];
                }
                products[p * count + i * s.out_channels + o] = static_cast<float>(value);
            }
        }
    }
    return products;
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> make_winograd_conv(const ConvShape& s,
                                                            const ConvConstants& data) {
    std::vector<float> products; // made when the first is asked for: an earlier process may have
    std::vector<PackedWeights> weights;
    for (std::size_t p = 0; p < kWinogradProducts; ++p) {
        const auto at = [&](std::size_t k, std::size_t n) {
            if (products.empty()) {
                products = transformed_filters(s, data);
            }
            return products[(p * s.in_channels + k) * s.out_channels + n];
        };
        SLUICE_TRY_ASSIGN(PackedWeights packed,
                          PackedWeights::pack({s.in_channels, s.out_channels}, {}, at));
        weights.push_back(std::move(packed));
    }
    SLUICE_TRY_ASSIGN(AlignedFloats bias, allocate_floats(s.out_channels));
    std::ranges::copy(data.bias, bias.get());
    return std::make_unique<WinogradConv>(s, std::move(weights), std::move(bias));
}

} // namespace sluice::cpu
