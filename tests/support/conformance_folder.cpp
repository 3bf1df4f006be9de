// SPDX-License-Identifier: Apache-2.0
// The one place that knows where WebNN's conformance data lies.
#include "tests/support/conformance_folder.h"

#include <cstdlib>
#include <format>
#include <system_error>
#include <utility>

namespace sluice::testing {
namespace {

std::filesystem::path place_of(std::string_view part) {
    if (const char* set = std::getenv("SLUICE_WEBNN_VECTORS"); set != nullptr) {
        return std::filesystem::path(set) / part;
    }
    // Set by the build; else tests run in the source folder.
    const char* source = std::getenv("SLUICE_SOURCE_ROOT");
    return std::filesystem::path(source != nullptr ? source : ".") / "../shared/conformance" / part;
}

} // namespace

std::optional<std::filesystem::path> conformance_folder(std::string_view part) {
    std::filesystem::path folder = place_of(part);
    std::error_code error;
    return std::filesystem::is_directory(folder, error) ? std::optional(std::move(folder))
                                                        : std::nullopt;
}

std::string no_conformance_data(std::string_view part) {
    return std::format("WebNN's conformance data is not at {}; set SLUICE_WEBNN_VECTORS to the "
                       "folder that has {}/",
                       place_of(part).string(), part);
}

} // namespace sluice::testing
