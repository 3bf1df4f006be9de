// SPDX-License-Identifier: Apache-2.0
// Mattes and maps of classes that a device makes of logits, against loops in double precision.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/vulkan/recording.h"
#include "tests/support/must.h"
#include "tests/support/vulkan_device.h"
#include "zero_copy/device_matte.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

constexpr std::uint32_t kLogitsSeed = 2718;

struct Logits {
    std::uint32_t width;
    std::uint32_t height;
    std::uint32_t classes;
    std::vector<float> values;

    [[nodiscard]] std::size_t pixels() const { return std::size_t{width} * height; }
    [[nodiscard]] std::span<const float> of(std::size_t pixel) const {
        return std::span(values).subspan(pixel * classes, classes);
    }
};

// Every third pixel has equal logits in it, every fifth such as overflow a plain exp().
Logits random_logits(std::uint32_t width, std::uint32_t height, std::uint32_t classes,
                     std::mt19937& random) {
    Logits out{.width = width, .height = height, .classes = classes, .values = {}};
    std::uniform_real_distribution<float> values(-8.0F, 8.0F);
    for (std::size_t pixel = 0; pixel < out.pixels(); ++pixel) {
        for (std::uint32_t i = 0; i < classes; ++i) {
            float value = values(random);
            if (pixel % 3 == 0) {
                value = std::round(value / 4.0F);
            } else if (pixel % 5 == 0) {
                value *= 1000.0F;
            }
            out.values.push_back(value);
        }
    }
    return out;
}

double matte_of(std::span<const float> logits) {
    const double top = *std::ranges::max_element(logits);
    double sum = 0.0;
    for (const float logit : logits) {
        sum += std::exp(logit - top);
    }
    return 1.0 - (std::exp(logits[0] - top) / sum);
}

std::uint8_t class_of(std::span<const float> logits) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < logits.size(); ++i) {
        best = logits[i] > logits[best] ? i : best;
    }
    return static_cast<std::uint8_t>(best);
}

class MasksOnDevice : public VulkanTest {
protected:
    DeviceBuffer on_device(const Logits& logits) {
        const auto bytes = std::as_bytes(std::span(logits.values));
        auto buffer = must(DeviceBuffer::create(device_, bytes.size(), vulkan::Placement::Upload));
        std::memcpy(buffer.mapped().data(), bytes.data(), bytes.size());
        return buffer;
    }
    void resolve(const Logits& logits, const DeviceMatte& matte, const DeviceClasses* classes) {
        const DeviceBuffer input = on_device(logits);
        auto recording = must(vulkan::Recording::create(device_));
        const auto map = classes != nullptr ? classes->range() : vulkan::BufferRange{};
        must(record_matte(recording,
                          {.range = input.range(),
                           .pixels = static_cast<std::uint32_t>(logits.pixels()),
                           .classes = logits.classes},
                          matte.range(), classes != nullptr ? &map : nullptr));
        must(recording.finish());
        must(recording.run());
    }
};

TEST_F(MasksOnDevice, are_softmax_and_first_largest_of_the_logits) {
    std::mt19937 random(kLogitsSeed);
    SCOPED_TRACE(kLogitsSeed);
    for (const std::uint32_t classes : {2U, 3U, 6U, 19U, 256U}) {
        for (const auto& [width, height] :
             {std::pair{1U, 1U}, {3U, 1U}, {7U, 5U}, {64U, 4U}, {61U, 29U}}) {
            SCOPED_TRACE(::testing::Message() << width << "x" << height << "x" << classes);
            const Logits logits = random_logits(width, height, classes, random);
            const auto matte = must(DeviceMatte::create(device_, width, height));
            const auto map = must(DeviceClasses::create(device_, width, height));
            const auto alone = must(DeviceMatte::create(device_, width, height));
            resolve(logits, *matte, map.get());
            resolve(logits, *alone, nullptr);
            const auto shares = must(matte->read());
            const auto same_shares = must(alone->read());
            const auto best = must(map->read());
            ASSERT_EQ(shares.size(), logits.pixels());
            ASSERT_EQ(best.size(), logits.pixels());
            for (std::size_t i = 0; i < logits.pixels(); ++i) {
                ASSERT_EQ(best[i], class_of(logits.of(i))) << "pixel " << i;
                ASSERT_NEAR(shares[i], matte_of(logits.of(i)), 1e-5) << "pixel " << i;
                ASSERT_NEAR(same_shares[i], matte_of(logits.of(i)), 1e-5) << "pixel " << i;
            }
        }
    }
}

TEST_F(MasksOnDevice, are_told_apart_by_their_numbers) {
    const auto matte = must(DeviceMatte::create(device_, 2, 3));
    const auto map = must(DeviceClasses::create(device_, 2, 3));
    const auto other = must(DeviceClasses::create(device_, 2, 3));
    EXPECT_NE(matte->id(), 0U);
    EXPECT_NE(matte->id(), map->id());
    EXPECT_NE(map->id(), other->id());
    EXPECT_EQ(map->width(), 2U);
    EXPECT_EQ(map->height(), 3U);
}

} // namespace
} // namespace sluice::testing
