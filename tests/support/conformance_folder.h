// SPDX-License-Identifier: Apache-2.0
// Where WebNN's conformance data lies, which is not part of the checkout.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::testing {

// The folder `part` ("vectors", "tapes") of $SLUICE_WEBNN_VECTORS or, where that is not set, of
// ../shared/conformance beside the checkout; nothing where it does not exist.
[[nodiscard]] std::optional<std::filesystem::path> conformance_folder(std::string_view part);

// Why a test is skipped where conformance_folder() finds nothing.
[[nodiscard]] std::string no_conformance_data(std::string_view part);

} // namespace sluice::testing
