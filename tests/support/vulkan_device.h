// SPDX-License-Identifier: Apache-2.0
// The Vulkan device that suites run on, watched by the validation layer.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "core/base/log.h"
#include "core/vulkan/device.h"

namespace sluice::testing {

// Before any device of the process is opened.
inline const bool kValidationAsked = ::setenv("SLUICE_VULKAN_VALIDATION", "1", 0) == 0;

// What `device=vulkan:` and Device::open() are given: Mesa's software device unless the environment
// names another.
inline std::string vulkan_selector() {
    const char* text = std::getenv("SLUICE_TEST_VULKAN_DEVICE");
    return text != nullptr ? text : "llvmpipe";
}

// Skips where there is no such device; fails a test during which the validation layer spoke.
class VulkanTest : public ::testing::Test {
protected:
    void SetUp() override {
        log::set_sink([](log::Level level, std::string_view category, std::string_view message) {
            if (level == log::Level::Error) {
                std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(category.size()),
                             category.data(), static_cast<int>(message.size()), message.data());
            }
        });
        before_ = vulkan::Device::validation_messages();
        auto opened = vulkan::Device::open(vulkan_selector());
        if (!opened) {
            const ErrorCode code = opened.error().code;
            ASSERT_TRUE(code == ErrorCode::NotFound || code == ErrorCode::Unsupported)
                << opened.error().message;
            GTEST_SKIP() << opened.error().message;
        }
        device_ = std::move(*opened);
    }
    void TearDown() override {
        device_.reset();
        EXPECT_EQ(vulkan::Device::validation_messages(), before_);
        log::set_sink(nullptr);
    }

    std::shared_ptr<vulkan::Device> device_; // null in a skipped test

private:
    std::uint64_t before_ = 0;
};

} // namespace sluice::testing
