// SPDX-License-Identifier: Apache-2.0
// npm and tar as child processes in a temporary folder.
#include "pipelines/cli/npm_package.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <spawn.h>

#include "pipelines/common/files.h"

namespace sluice::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShownBytes = 400; // of what a program complained about

// The last lines of a log, in one.
std::string complaint(const fs::path& log) {
    const auto bytes = pipelines::read_file(log);
    if (!bytes) {
        return {};
    }
    std::string text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return text.size() > kShownBytes ? "..." + text.substr(text.size() - kShownBytes) : text;
}

// Runs a program in `folder`, silently.
Status run_program(const std::vector<std::string>& command, const fs::path& folder) {
    const fs::path log = folder / "log";
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const std::string& argument : command) {
        arguments.push_back(const_cast<char*>(argument.c_str())); // posix_spawn leaves it as it is
    }
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(),
                                       O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    pid_t child = 0;
    const int error =
        ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        return fail(error == ENOENT ? ErrorCode::NotFound : ErrorCode::Io,
                    "cannot run {}: {}; install it", command[0], std::strerror(error));
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return fail(ErrorCode::Io, "{} {} failed: {}", command[0], command[1], complaint(log));
    }
    return {};
}

} // namespace

std::optional<NpmFile> npm_file(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size() ||
        text[colon + 1] == '/') {
        return std::nullopt;
    }
    const std::string_view package = text.substr(0, colon);
    // npm would take folders, addresses and options for packages, too.
    const auto fits = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               std::string_view("@/._-~^").contains(c);
    };
    const bool is_scoped = package.starts_with('@');
    const auto slashes = std::ranges::count(package, '/');
    if (!std::ranges::all_of(package, fits) || slashes != (is_scoped ? 1 : 0) ||
        package.starts_with('-') || package.starts_with('.')) {
        return std::nullopt;
    }
    return NpmFile{.package = std::string(package), .path = std::string(text.substr(colon + 1))};
}

Result<NpmPackage> NpmPackage::fetch(const std::string& package) {
    std::error_code error;
    std::string folder = (fs::temp_directory_path(error) / "sluice-npm-XXXXXX").string();
    if (error || ::mkdtemp(folder.data()) == nullptr) {
        return fail(ErrorCode::Io, "cannot make a temporary folder: {}", std::strerror(errno));
    }
    NpmPackage fetched((fs::path(folder)));
    // No scripts of the package run.
    SLUICE_TRY(run_program(
        {"npm", "pack", package, "--ignore-scripts", "--silent", "--no-update-notifier"}, folder));
    fs::path archive;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        archive = entry.path().extension() == ".tgz" ? entry.path() : archive;
    }
    if (archive.empty()) {
        return fail(ErrorCode::NotFound, "npm pack {} left no archive", package);
    }
    SLUICE_TRY(run_program(
        {"tar", "-xzf", archive.string(), "--no-same-owner", "--no-same-permissions"}, folder));
    return fetched;
}

NpmPackage::~NpmPackage() {
    if (!folder_.empty()) {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }
}

Result<fs::path> NpmPackage::file(const std::string& path) const {
    std::error_code error;
    const fs::path root = fs::canonical(folder_ / "package", error);
    fs::path full = error ? fs::path() : fs::canonical(root / path, error);
    if (error) {
        return fail(ErrorCode::NotFound, "the package has no '{}'", path);
    }
    if (std::ranges::mismatch(root, full).in1 != root.end()) {
        return fail(ErrorCode::Parse, "'{}' leads out of the package", path);
    }
    return full;
}

std::string NpmPackage::title() const {
    const auto text = pipelines::read_file(folder_ / "package" / "package.json");
    if (!text) {
        return {};
    }
    const auto* const data = reinterpret_cast<const char*>(text->data());
    const auto document = nlohmann::json::parse(data, data + text->size(), nullptr, false);
    const auto at = [&](const char* key) {
        const auto found = document.is_object() ? document.find(key) : document.end();
        return document.is_object() && found != document.end() && found->is_string()
                   ? found->get<std::string>()
                   : std::string();
    };
    return at("name") + " " + at("version");
}

} // namespace sluice::cli
