// SPDX-License-Identifier: Apache-2.0
// Segmentation on frames: a soft matte of the person, or a class per pixel.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "core/engine.h"
#include "zero_copy/device_matte.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/frame.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::tasks {

struct SegmenterOptions {
    std::string model = "selfie-segmentation-landscape"; // zoo name or path
    EngineOptions engine;
    // Where the key of a sealed model is, as models::LoadOptions::key.
    std::string model_key;
};

// What the network said of one frame; valid until the next call.
struct Segmentation {
    // Probability that a pixel is not background. For multi-class networks 1 - P(background).
    zero_copy::Matte matte;
    // For multi-class networks: the most probable class of each matte pixel, row-major; else empty.
    std::span<const std::uint8_t> classes;
};

// Not thread-safe; one segmenter per stream. After the first frame of a format, segment() allocates
// nothing.
class Segmenter {
public:
    [[nodiscard]] static Result<Segmenter> create(const SegmenterOptions& options);
    Segmenter(Segmenter&&) noexcept;
    Segmenter& operator=(Segmenter&&) noexcept;
    ~Segmenter();

    [[nodiscard]] Result<Segmentation> segment(const zero_copy::FrameView& frame);
    // The same on a frame where it lies. On a Vulkan device it is imported; what has to be copied
    // is counted. Else it is read through its mapping.
    [[nodiscard]] Result<Segmentation> segment(const zero_copy::ExternalFrame& frame,
                                               CopyLedger& ledger);

    // The same, for somebody who blends on the device (FrameBackground::run()): the matte, and of
    // multi-class networks the map of classes if it is wanted, stay in its memory. Only where
    // runs_on_device().
    [[nodiscard]] Status segment(const zero_copy::ExternalFrame& frame, CopyLedger& ledger,
                                 zero_copy::DeviceMatte& matte,
                                 zero_copy::DeviceClasses* classes = nullptr);
    // Null unless runs_on_device().
    [[nodiscard]] std::shared_ptr<vulkan::Device> device() const;

    // What blend_background() does from now on.
    void set_background(const zero_copy::BackgroundSettings& settings);
    // Segments a frame and blends its background in place. On a Vulkan device in one submission:
    // the matte never visits the host.
    [[nodiscard]] Status blend_background(const zero_copy::ExternalFrame& frame,
                                          CopyLedger& ledger);

    // Names of the classes; a single "person" for mattes.
    [[nodiscard]] std::span<const std::string> labels() const;
    [[nodiscard]] std::uint32_t matte_width() const;
    [[nodiscard]] std::uint32_t matte_height() const;
    // Whether frames with memory identity are sampled by a Vulkan device, which also runs the whole
    // network.
    [[nodiscard]] bool runs_on_device() const;
    // Plain memory that frames lay in is gone: what the device keeps of it goes, too.
    void forget(const zero_copy::MemoryIdentity& memory);

private:
    struct State;
    explicit Segmenter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace sluice::tasks
