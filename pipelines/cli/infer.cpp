// SPDX-License-Identifier: Apache-2.0
// `sluice infer`: any model on raw tensors, .npy in and out.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <format>
#include <map>

#include "models/store/store.h"
#include "pipelines/cli/command.h"
#include "pipelines/cli/output.h"
#include "pipelines/cli/suggest.h"
#include "pipelines/common/npy.h"

namespace sluice::cli {
namespace {

struct InferOptions {
    std::string model;
    std::vector<std::string> inputs; // NAME=FILE
    std::filesystem::path output_dir;
    EngineOptions engine;
    bool json = false;
};

using Arrays = std::map<std::string, pipelines::NpyArray>;

Result<Arrays> read_inputs(const std::vector<std::string>& inputs) {
    Arrays arrays;
    for (const std::string& entry : inputs) {
        const std::size_t equals = entry.find('='); // the validator saw one
        SLUICE_TRY_ASSIGN(auto array, pipelines::read_npy(entry.substr(equals + 1)));
        const std::string name = entry.substr(0, equals);
        if (!arrays.emplace(name, std::move(array)).second) {
            return fail(ErrorCode::InvalidArgument, "input '{}' is given twice", name);
        }
    }
    return arrays;
}

// Networks that take a picture of any size are built for the size of the first NHWC tensor.
models::LoadOptions load_options(const Arrays& arrays) {
    for (const auto& [name, array] : arrays) {
        if (array.desc.rank() == 4) {
            return {.width = array.desc.shape()[2], .height = array.desc.shape()[1]};
        }
    }
    return {};
}

Status fill(runtime::Executable& executable, const Arrays& arrays) {
    std::vector<std::string> names;
    for (const runtime::TensorInfo& input : executable.inputs()) {
        names.push_back(input.name);
    }
    for (const auto& [name, array] : arrays) {
        const auto found = std::ranges::find(names, name);
        if (found == names.end()) {
            std::string list;
            for (const std::string& known : names) {
                list += (list.empty() ? "" : ", ") + known;
            }
            return fail(ErrorCode::NotFound, "the model has no input '{}'{} (it has: {})", name,
                        did_you_mean(name, names), list);
        }
        const auto i = static_cast<std::size_t>(found - names.begin());
        const graph::TensorDesc& desc = executable.inputs()[i].desc;
        if (desc != array.desc) {
            return fail(ErrorCode::InvalidArgument, "input '{}' is {}, the file holds {}", name,
                        graph::to_string(desc), graph::to_string(array.desc));
        }
        std::ranges::copy(array.bytes, executable.input(i).begin());
    }
    for (const runtime::TensorInfo& input : executable.inputs()) {
        if (!arrays.contains(input.name)) {
            return fail(ErrorCode::InvalidArgument,
                        "input '{}' {} is missing; add --input {}=FILE.npy", input.name,
                        graph::to_string(input.desc), input.name);
        }
    }
    return {};
}

Status infer(const InferOptions& options) {
    SLUICE_TRY_ASSIGN(const Arrays arrays, read_inputs(options.inputs));
    SLUICE_TRY_ASSIGN(auto stored, models::open_model(options.model, load_options(arrays)));
    SLUICE_TRY_ASSIGN(const auto executable,
                      compile(std::move(stored.model.graph), options.engine));
    SLUICE_TRY(fill(*executable, arrays));
    SLUICE_TRY(executable->run());
    std::error_code made;
    std::filesystem::create_directories(options.output_dir, made);
    if (made) {
        return fail(ErrorCode::Io, "cannot make the folder '{}': {}", options.output_dir.string(),
                    made.message());
    }
    Json entries = Json::array();
    std::vector<std::vector<std::string>> rows;
    for (std::size_t i = 0; i < executable->outputs().size(); ++i) {
        const runtime::TensorInfo& output = executable->outputs()[i];
        std::string file = output.name + ".npy";
        std::ranges::replace(file, '/', '_');
        const std::filesystem::path path = options.output_dir / file;
        SLUICE_TRY(pipelines::write_npy(path, output.desc, executable->output(i)));
        rows.push_back({output.name, graph::to_string(output.desc), path.string()});
        entries.push_back({{"name", output.name},
                           {"type", graph::name(output.desc.type())},
                           {"shape", output.desc.shape().dims()},
                           {"file", path.string()}});
    }
    return options.json ? print_json({{"outputs", entries}}) : print(table(rows, 3));
}

} // namespace

void add_infer(CLI::App& app, Action& action) {
    CLI::App* command = app.add_subcommand("infer", "Run any model on raw tensors");
    auto options = std::make_shared<InferOptions>();
    command->add_option("MODEL", options->model, "A name of the zoo or a path")->required();
    command
        ->add_option("--input", options->inputs,
                     "An input's name and the .npy file with its tensor; once for each input")
        ->check(CLI::Validator(
            [](std::string& entry) {
                const std::size_t equals = entry.find('=');
                return equals == std::string::npos || equals == 0
                           ? "'" + entry + "' is not of the form NAME=FILE.npy"
                           : std::string();
            },
            ""))
        ->type_name("NAME=FILE")
        ->expected(1)
        ->take_all();
    command->add_option("--output-dir", options->output_dir, "Folder for OUTPUT.npy files")
        ->required()
        ->type_name("DIR");
    command->add_flag("--json", options->json, "Print JSON");
    add_engine_options(*command, options->engine);
    command->callback([options, &action] { action = [options] { return infer(*options); }; });
}

} // namespace sluice::cli
