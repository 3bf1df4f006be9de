// SPDX-License-Identifier: Apache-2.0
// Files from npm packages, fetched by the npm client with the user's own settings.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sluice::cli {

// "@scope/name@1.2.3:folder/model.json" in its parts.
struct NpmFile {
    std::string package; // with the version, if one is given
    std::string path;    // within the package
};
// Nothing where the text is no such thing: its shape decides, nothing is asked.
[[nodiscard]] std::optional<NpmFile> npm_file(std::string_view text);

// A package in a folder of its own, which goes with this object.
class NpmPackage {
public:
    // Needs the programs npm and tar. NotFound or Io repeat what npm said.
    [[nodiscard]] static Result<NpmPackage> fetch(const std::string& package);
    NpmPackage(NpmPackage&& other) noexcept : folder_(std::move(other.folder_)) {
        other.folder_.clear();
    }
    NpmPackage& operator=(NpmPackage&&) = delete;
    ~NpmPackage();

    // A file of the package; NotFound where there is none. Parse: a path that leads out of it.
    [[nodiscard]] Result<std::filesystem::path> file(const std::string& path) const;
    // "some-package 1.0.0", as package.json says.
    [[nodiscard]] std::string title() const;

private:
    explicit NpmPackage(std::filesystem::path folder) : folder_(std::move(folder)) {}

    std::filesystem::path folder_;
};

} // namespace sluice::cli
