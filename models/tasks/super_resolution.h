// SPDX-License-Identifier: Apache-2.0
// Super-resolution on frames: twice the size, in the frame's own format.
#pragma once

#include <memory>
#include <string>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "core/engine.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/frame.h"

namespace sluice::tasks {

struct UpscalerOptions {
    std::string model = "anime4k-x2-s"; // zoo name or path
    EngineOptions engine;
    // Where the key of a sealed model is, as models::LoadOptions::key.
    std::string model_key;
};

// Not thread-safe; one upscaler per stream. After the first frame of a format, upscale() allocates
// nothing; the last three formats are kept, so that sizes that alternate are not compiled again.
// Works in strips, so that memory does not grow with the picture's height.
class Upscaler {
public:
    [[nodiscard]] static Result<Upscaler> create(const UpscalerOptions& options);
    Upscaler(Upscaler&&) noexcept;
    Upscaler& operator=(Upscaler&&) noexcept;
    ~Upscaler();

    // The factor in both directions: 2.
    [[nodiscard]] std::uint32_t scale() const;
    // `output` has the format of `input` but `scale()` times its size.
    [[nodiscard]] Status upscale(const zero_copy::FrameView& input,
                                 const zero_copy::MutableFrameView& output);
    // The same on frames where they lie. On a Vulkan device both are imported, and the strips are
    // one submission; what has to be copied is counted. Else they are used through their mappings.
    [[nodiscard]] Status upscale(const zero_copy::ExternalFrame& input,
                                 const zero_copy::ExternalFrame& output, CopyLedger& ledger);
    // Whether frames with memory identity are sampled and written by a Vulkan device, which also
    // runs the whole network.
    [[nodiscard]] bool runs_on_device() const;
    // Plain memory that frames lay in is gone: what the device keeps of it goes, too.
    void forget(const zero_copy::MemoryIdentity& memory);

private:
    struct State;
    explicit Upscaler(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace sluice::tasks
