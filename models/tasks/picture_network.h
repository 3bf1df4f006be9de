// SPDX-License-Identifier: Apache-2.0
// PictureNetwork: an executable with one picture as input, and the frame end that fills it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "core/engine.h"
#include "core/runtime/executable.h"
#include "core/runtime/thread_pool.h"
#include "models/store/store.h"
#include "zero_copy/device_network.h"
#include "zero_copy/device_sampler.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/frame.h"
#include "zero_copy/frame_to_tensor.h"

namespace sluice::tasks {

// A part of a frame on its way into the network: the CPU's tables and, where the network runs
// wholly on a Vulkan device, the device's.
struct PictureSampler {
    zero_copy::FrameToTensor host;
    std::optional<zero_copy::DeviceSampler> device;
};

// Loads a model, compiles it, and knows its picture input: float32 [1,height,width,3], RGB. The
// range of its values is the manifest's, else the file's metadata's, else low..high given here.
class PictureNetwork {
public:
    struct Needs {
        float low = 0.0F;
        float high = 1.0F;
        std::string_view output = {}; // the only output that is wanted; empty: all
    };
    // Unsupported: the network does not take exactly one such picture. NotFound: it has no such
    // output.
    [[nodiscard]] static Result<PictureNetwork> open(std::string_view model,
                                                     const EngineOptions& engine,
                                                     const models::LoadOptions& load,
                                                     const Needs& needs);

    // What feed() fills, as a FrameToTensor wants it.
    [[nodiscard]] const zero_copy::TensorFormat& tensor_format() const { return tensor_; }
    [[nodiscard]] runtime::Executable& executable() { return *executable_; }
    [[nodiscard]] const runtime::Executable& executable() const { return *executable_; }
    // Null for models outside the zoo.
    [[nodiscard]] const models::Manifest* manifest() const { return manifest_; }
    [[nodiscard]] const models::ModelInfo& info() const { return info_; }
    [[nodiscard]] runtime::ThreadPool& threads() { return *threads_; }

    [[nodiscard]] Result<PictureSampler> sampler(const zero_copy::FrameFormat& frame,
                                                 const zero_copy::SourceRegion& region) const;
    // Samples the frame straight into the executable's input and runs it; see Executable::run().
    [[nodiscard]] Status run(const PictureSampler& sampler, const zero_copy::FrameView& frame);
    // The same for a frame where it lies: sampled by the device where the network runs on one, else
    // through its mapping. `variant` names the sampler among those of this network. Unsupported if
    // neither can read it.
    [[nodiscard]] Status run(const PictureSampler& sampler, const zero_copy::ExternalFrame& frame,
                             std::uint64_t variant, CopyLedger& ledger);
    // Plain memory is gone: what a device keeps of it goes, too.
    void forget(const zero_copy::MemoryIdentity& memory);
    // What the last run() gave; the tensor is float32.
    [[nodiscard]] std::span<const float> output_floats(std::size_t i) const;
    // Null where the network does not run wholly on a Vulkan device.
    [[nodiscard]] zero_copy::DeviceNetwork* device() { return device_.get(); }

private:
    PictureNetwork() = default;

    std::unique_ptr<runtime::Executable> executable_;
    std::unique_ptr<zero_copy::DeviceNetwork> device_; // after the executable, which it borrows
    bool ran_on_device_ = false;
    std::shared_ptr<runtime::ThreadPool> threads_;
    zero_copy::TensorFormat tensor_;
    const models::Manifest* manifest_ = nullptr;
    models::ModelInfo info_;
};

} // namespace sluice::tasks
