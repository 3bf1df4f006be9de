// SPDX-License-Identifier: Apache-2.0
// Mattes as 8-bit grey PNG files.
#pragma once

#include <filesystem>

#include "core/base/result.h"
#include "core/runtime/thread_pool.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::cli {

// Writes the matte at the size of its frame: 255 is the person, 0 the background.
[[nodiscard]] Status write_mask(const zero_copy::Matte& matte, std::uint32_t frame_width,
                                std::uint32_t frame_height, const std::filesystem::path& path,
                                runtime::ThreadPool& threads);

// The path of frame `number`, where `pattern` holds one conversion such as %04d.
[[nodiscard]] std::filesystem::path numbered(const std::string& pattern, unsigned number);
[[nodiscard]] bool is_pattern(const std::string& path);

} // namespace sluice::cli
