// SPDX-License-Identifier: Apache-2.0
// `sluice infer`: any model on raw tensors, .npy in and out.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <format>
#include <map>
#include <ranges>
#include <span>

#include "models/loaders/numbers.h"
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
    std::vector<std::string> values; // NAME=NUMBER,...
    std::filesystem::path output_dir;
    EngineOptions engine;
    bool json = false;
};

using Arrays = std::map<std::string, pipelines::NpyArray>;
using Numbers = std::map<std::string, std::vector<double>>;

Error given_twice(std::string_view name) {
    return {ErrorCode::InvalidArgument, std::format("input '{}' is given twice", name)};
}

Result<Arrays> read_inputs(const std::vector<std::string>& inputs) {
    Arrays arrays;
    for (const std::string& entry : inputs) {
        const std::size_t equals = entry.find('='); // the validator saw one
        SLUICE_TRY_ASSIGN(auto array, pipelines::read_npy(entry.substr(equals + 1)));
        const std::string name = entry.substr(0, equals);
        if (!arrays.emplace(name, std::move(array)).second) {
            return std::unexpected(given_twice(name));
        }
    }
    return arrays;
}

Result<double> number_of(std::string_view text) {
    double number = 0.0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
        return fail(ErrorCode::InvalidArgument, "'{}' is no number", text);
    }
    return number;
}

Result<Numbers> read_numbers(const std::vector<std::string>& values, const Arrays& arrays) {
    Numbers numbers;
    for (const std::string& entry : values) {
        const std::size_t equals = entry.find('='); // the validator saw one
        const std::string name = entry.substr(0, equals);
        std::vector<double> list;
        for (const auto part : std::views::split(std::string_view(entry).substr(equals + 1), ',')) {
            auto number = number_of(std::string_view(part));
            if (!number) {
                return std::unexpected(
                    std::move(number).error().within(std::format("--value {}", name)));
            }
            list.push_back(*number);
        }
        if (arrays.contains(name) || !numbers.emplace(name, std::move(list)).second) {
            return std::unexpected(given_twice(name));
        }
    }
    return numbers;
}

// Networks that take a picture of any size are built for the size of the first NHWC tensor, those
// that take inputs of any shape for the shapes of the given ones.
models::LoadOptions load_options(const Arrays& arrays, const Numbers& numbers) {
    models::LoadOptions options;
    options.numbers = numbers;
    for (const auto& [name, array] : arrays) {
        if (array.desc.rank() == 4 && options.width == 0) {
            options.width = array.desc.shape()[2];
            options.height = array.desc.shape()[1];
        }
        options.shapes[name].assign(array.desc.shape().begin(), array.desc.shape().end());
    }
    return options;
}

// The inputs of a network by their names, for what the command line gives them.
class Inputs {
public:
    explicit Inputs(runtime::Executable& executable) : executable_(executable) {
        for (const runtime::TensorInfo& input : executable.inputs()) {
            names_.push_back(input.name);
        }
    }

    [[nodiscard]] Status fill(const std::string& name, const pipelines::NpyArray& array) {
        SLUICE_TRY_ASSIGN(const std::size_t i, find(name));
        const graph::TensorDesc& desc = executable_.inputs()[i].desc;
        if (desc != array.desc) {
            return fail(ErrorCode::InvalidArgument, "input '{}' is {}, the file holds {}", name,
                        graph::to_string(desc), graph::to_string(array.desc));
        }
        std::ranges::copy(array.bytes, executable_.input(i).begin());
        return {};
    }

    [[nodiscard]] Status fill(const std::string& name, std::span<const double> numbers) {
        SLUICE_TRY_ASSIGN(const std::size_t i, find(name));
        auto bytes = models::tensor_of_numbers(executable_.inputs()[i].desc, numbers);
        if (!bytes) {
            return std::unexpected(
                std::move(bytes).error().within(std::format("input '{}'", name)));
        }
        std::ranges::copy(*bytes, executable_.input(i).begin());
        return {};
    }

    [[nodiscard]] Status check_complete(const Arrays& arrays, const Numbers& numbers) const {
        for (const runtime::TensorInfo& input : executable_.inputs()) {
            if (!arrays.contains(input.name) && !numbers.contains(input.name)) {
                return fail(ErrorCode::InvalidArgument,
                            "input '{0}' {1} is missing; add --input {0}=FILE.npy or "
                            "--value {0}=NUMBER",
                            input.name, graph::to_string(input.desc));
            }
        }
        return {};
    }

private:
    [[nodiscard]] Result<std::size_t> find(const std::string& name) const {
        const auto found = std::ranges::find(names_, name);
        if (found != names_.end()) {
            return static_cast<std::size_t>(found - names_.begin());
        }
        std::string list;
        for (const std::string& known : names_) {
            list += (list.empty() ? "" : ", ") + known;
        }
        return fail(ErrorCode::NotFound, "the model has no input '{}'{} (it has: {})", name,
                    did_you_mean(name, names_), list);
    }

    runtime::Executable& executable_;
    std::vector<std::string> names_;
};

Status fill(runtime::Executable& executable, const Arrays& arrays, const Numbers& numbers,
            std::span<const std::string> bound) {
    Inputs inputs(executable);
    for (const auto& [name, array] : arrays) {
        SLUICE_TRY(inputs.fill(name, array));
    }
    for (const auto& [name, list] : numbers) {
        if (!std::ranges::contains(bound, name)) {
            SLUICE_TRY(inputs.fill(name, list));
        }
    }
    return inputs.check_complete(arrays, numbers);
}

Status infer(const InferOptions& options) {
    SLUICE_TRY_ASSIGN(const Arrays arrays, read_inputs(options.inputs));
    SLUICE_TRY_ASSIGN(const Numbers numbers, read_numbers(options.values, arrays));
    SLUICE_TRY_ASSIGN(auto stored,
                      models::open_model(options.model, load_options(arrays, numbers)));
    SLUICE_TRY_ASSIGN(const auto executable,
                      compile(std::move(stored.model.graph), options.engine));
    SLUICE_TRY(fill(*executable, arrays, numbers, stored.model.bound));
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

CLI::Validator of_form(const std::string& form) {
    return CLI::Validator(
        [form](std::string& entry) {
            const std::size_t equals = entry.find('=');
            return equals == std::string::npos || equals == 0
                       ? "'" + entry + "' is not of the form " + form
                       : std::string();
        },
        "");
}

} // namespace

void add_infer(CLI::App& app, Action& action) {
    CLI::App* command = app.add_subcommand("infer", "Run any model on raw tensors");
    auto options = std::make_shared<InferOptions>();
    command->add_option("MODEL", options->model, "A name of the zoo or a path")->required();
    command
        ->add_option("--input", options->inputs,
                     "An input's name and the .npy file with its tensor; once for each input")
        ->check(of_form("NAME=FILE.npy"))
        ->type_name("NAME=FILE")
        ->expected(1)
        ->take_all();
    command
        ->add_option("--value", options->values,
                     "An input's name and its numbers, one for each element or one for all; where "
                     "an ONNX network's shapes or branches depend on it, they are decided by it")
        ->check(of_form("NAME=NUMBER[,NUMBER...]"))
        ->type_name("NAME=NUMBER,...")
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
