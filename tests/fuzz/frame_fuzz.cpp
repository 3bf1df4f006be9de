// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: frame views of any geometry, then every reader and writer of frames on those
// that are accepted. Planes have exactly the size that was claimed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "core/runtime/thread_pool.h"
#include "zero_copy/frame.h"
#include "zero_copy/frame_to_tensor.h"
#include "zero_copy/tensor_to_frame.h"

namespace {

using namespace sluice::zero_copy; // NOLINT(google-build-using-namespace)

// Numbers from the fuzzer's bytes; zeros when they are used up.
class Input {
public:
    explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    template <typename T>
    T take() {
        T value{};
        const std::size_t size = std::min(sizeof(T), bytes_.size());
        std::memcpy(&value, bytes_.data(), size);
        bytes_ = bytes_.subspan(size);
        return value;
    }

private:
    std::span<const std::uint8_t> bytes_;
};

void use(Input& input, const MutableFrameView& frame, sluice::runtime::ThreadPool& threads) {
    const SourceRegion region{.x = input.take<float>(),
                              .y = input.take<float>(),
                              .width = input.take<float>(),
                              .height = input.take<float>(),
                              .rotation_radians = input.take<float>()};
    const TensorFormat tensor{.width = input.take<std::uint8_t>() % 40U,
                              .height = input.take<std::uint8_t>() % 40U,
                              .channels = static_cast<ChannelOrder>(input.take<std::uint8_t>() % 3),
                              .sampling = static_cast<Sampling>(input.take<std::uint8_t>() % 3)};
    // A turned mean visits a grid of the region's own size: keep it within a run's time.
    const bool short_enough = region.rotation_radians == 0.0 || tensor.sampling != Sampling::Area ||
                              (region.width < 1000.0 && region.height < 1000.0);
    if (auto converter = FrameToTensor::create(frame.format(), region, tensor);
        converter && short_enough) {
        std::vector<float> out(std::size_t{tensor.width} * tensor.height * 3);
        converter->run(frame, out, threads);
        for (const float value : out) {
            if (!(value >= tensor.low && value <= tensor.high)) {
                __builtin_trap();
            }
        }
    }
    const PixelBox box{.x = input.take<float>(),
                       .y = input.take<float>(),
                       .width = input.take<float>(),
                       .height = input.take<float>()};
    const auto effect = static_cast<RedactEffect>(input.take<std::uint8_t>() % 3);
    if (auto redactor = Redactor::create(frame.format(), effect, input.take<std::uint8_t>())) {
        redactor->run(frame, std::span(&box, 1), threads);
    }
    const std::uint32_t mask_width = 1 + (input.take<std::uint8_t>() % 20U);
    const std::uint32_t mask_height = 1 + (input.take<std::uint8_t>() % 20U);
    const std::vector<std::uint8_t> mask(std::size_t{mask_width} * mask_height, 100);
    const BackgroundSettings settings{.blur_sigma = static_cast<double>(input.take<float>())};
    if (auto blend = BackgroundBlend::create(frame.format(), settings)) {
        blend->run(frame, {mask.data(), mask_width, mask_width, mask_height}, threads);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static sluice::runtime::ThreadPool threads(1);
    Input input({data, size});
    FrameFormat format;
    format.pixel_format = static_cast<PixelFormat>(input.take<std::uint8_t>() % 16);
    format.width = input.take<std::uint16_t>() % 600U;
    format.height = input.take<std::uint16_t>() % 200U;
    format.color.chroma_site = static_cast<ChromaSite>(input.take<std::uint8_t>() % 3);
    const std::size_t planes = input.take<std::uint8_t>() % 4U;
    std::vector<std::vector<std::byte>> memory(planes);
    std::vector<MutablePlane> views;
    for (std::vector<std::byte>& plane : memory) {
        plane.resize(input.take<std::uint32_t>() % 500000U);
        const std::size_t stride = input.take<std::uint16_t>();
        views.push_back({plane.data(), stride, plane.size()});
    }
    const auto frame = MutableFrameView::create(format, views);
    if (frame) {
        use(input, *frame, threads);
    } else if (frame.error().message.empty()) {
        __builtin_trap();
    }
    return 0;
}
