// SPDX-License-Identifier: Apache-2.0
// The smallest network that a device runs on frames: it doubles, so that its result is known.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "core/engine.h"
#include "core/graph/builder.h"
#include "tests/support/must.h"
#include "tests/support/vulkan_device.h"
#include "tests/zero_copy/test_frame.h"
#include "zero_copy/device_network.h"
#include "zero_copy/device_sampler.h"

namespace sluice::testing {

// One grey for all pixels.
inline void fill_grey(TestFrame& frame, int code) {
    for (auto& plane : frame.planes) {
        plane.assign(plane.size(), static_cast<std::byte>(code));
    }
}

class DoublingNetwork {
public:
    static constexpr std::uint32_t kSide = 8; // of the picture that it takes
    static inline const zero_copy::FrameFormat kFormat{zero_copy::PixelFormat::Rgba, 32, 16, {}};

    // On the device of the suite.
    [[nodiscard]] static Result<DoublingNetwork> create() {
        DoublingNetwork out;
        EngineOptions options;
        options.device = {DeviceKind::Vulkan, vulkan_selector()};
        SLUICE_TRY_ASSIGN(out.executable_, compile(graph(), options));
        out.network_ = zero_copy::DeviceNetwork::of(out.executable_->program(), 1);
        if (!out.network_) {
            return fail(ErrorCode::Internal, "the network does not run on the device alone");
        }
        SLUICE_TRY_ASSIGN(out.sampler_, zero_copy::DeviceSampler::create(
                                            out.network_->device(), kFormat,
                                            zero_copy::stretch(kFormat.width, kFormat.height),
                                            {.width = kSide, .height = kSide}));
        return out;
    }

    [[nodiscard]] zero_copy::FrameRunner& runner() { return network_->runner(); }
    [[nodiscard]] Status run(const zero_copy::ExternalFrame& frame, CopyLedger& ledger) {
        return network_->run(*sampler_, frame, 0, ledger);
    }
    // Whether the last run saw a frame of this grey, and nothing else.
    [[nodiscard]] bool saw(int code) const {
        for (const float value : network_->output_floats(0)) {
            if (std::abs(value - (2.0F * static_cast<float>(code) / 255.0F)) > 1e-5F) {
                return false;
            }
        }
        return true;
    }

private:
    DoublingNetwork() = default;
    static graph::Graph graph() {
        const auto desc =
            must(graph::TensorDesc::create(graph::DataType::Float32, {1, kSide, kSide, 3}));
        graph::GraphBuilder builder;
        const auto x = must(builder.input("x", desc));
        const auto two = must(builder.constant(graph::DataType::Float32, 2.0));
        const auto y = must(builder.binary(ops::BinaryKind::Mul, x, two));
        return must(builder.build({{.name = "y", .id = y}}));
    }

    std::unique_ptr<runtime::Executable> executable_;
    std::unique_ptr<zero_copy::DeviceNetwork> network_; // borrows from it
    std::optional<zero_copy::DeviceSampler> sampler_;
};

} // namespace sluice::testing
