// SPDX-License-Identifier: Apache-2.0
// `sluice models`: what the zoo has, what of it is here, and whether the files are the right ones.
#include <filesystem>
#include <format>
#include <system_error>

#include "models/store/store.h"
#include "models/store/user_store.h"
#include "pipelines/cli/command.h"
#include "pipelines/cli/output.h"
#include "pipelines/cli/suggest.h"
#include "pipelines/cli/tensor_json.h"

namespace sluice::cli {
namespace {

// Where the model's file lies, whatever is in it; empty where it is not here.
std::string path_of(const models::Manifest& manifest) {
    const auto folders =
        manifest.folder.empty() ? models::search_path() : std::vector{manifest.folder};
    for (const std::filesystem::path& folder : folders) {
        std::error_code error;
        if (std::filesystem::exists(folder / manifest.file, error)) {
            return (folder / manifest.file).string();
        }
    }
    return {};
}

// The zoo's, then the user's.
std::vector<const models::Manifest*> known_models() {
    std::vector<const models::Manifest*> known;
    for (const models::Manifest& manifest : models::zoo()) {
        known.push_back(&manifest);
    }
    const auto added = models::added_models();
    known.insert(known.end(), added.begin(), added.end());
    return known;
}

Json to_json(const models::Manifest& manifest) {
    const std::string path = path_of(manifest);
    Json entry{
        {"name", manifest.name},     {"title", manifest.title},   {"task", manifest.task},
        {"format", manifest.format}, {"file", manifest.file},     {"licence", manifest.licence},
        {"source", manifest.source}, {"sha256", manifest.sha256}, {"present", !path.empty()}};
    if (!path.empty()) {
        entry["path"] = path;
    }
    if (manifest.width != 0) {
        entry["input"] = {{"width", manifest.width},
                          {"height", manifest.height},
                          {"low", manifest.low},
                          {"high", manifest.high}};
    }
    if (!manifest.labels.empty()) {
        entry["labels"] = manifest.labels;
    }
    return entry;
}

Result<const models::Manifest*> find(const std::string& name) {
    if (const models::Manifest* manifest = models::find_manifest(name); manifest != nullptr) {
        return manifest;
    }
    std::vector<std::string> names;
    for (const models::Manifest* manifest : known_models()) {
        names.push_back(manifest->name);
    }
    return fail(ErrorCode::NotFound, "no model of zoo or store is called '{}'{}", name,
                did_you_mean(name, names));
}

Status list(bool as_json) {
    Json entries = Json::array();
    std::vector<std::vector<std::string>> rows{{"name", "task", "file", "title"}};
    bool any_missing = false;
    for (const models::Manifest* known : known_models()) {
        const models::Manifest& manifest = *known;
        const bool is_here = !path_of(manifest).empty();
        any_missing |= !is_here;
        if (as_json) {
            entries.push_back(to_json(manifest));
        }
        rows.push_back(
            {manifest.name, manifest.task, is_here ? "present" : "missing", manifest.title});
    }
    if (as_json) {
        return print_json({{"models", entries}});
    }
    std::string text = table(rows, 4);
    if (any_missing) {
        text +=
            "\nMissing files are fetched with ./dev build of the source tree, and searched in:\n";
        for (const auto& folder : models::search_path()) {
            text += "  " + folder.string() + "\n";
        }
    }
    return print(text);
}

Status show(const std::string& name, bool as_json) {
    SLUICE_TRY_ASSIGN(const models::Manifest* const manifest, find(name));
    Json entry = to_json(*manifest);
    std::vector<std::vector<std::string>> rows{
        {"name", manifest->name},     {"title", manifest->title},     {"task", manifest->task},
        {"format", manifest->format}, {"licence", manifest->licence}, {"source", manifest->source},
        {"sha256", manifest->sha256}, {"path", path_of(*manifest)},
    };
    if (path_of(*manifest).empty()) {
        rows.back()[1] = "missing";
    } else {
        SLUICE_TRY_ASSIGN(const auto stored, models::open_model(manifest->name));
        const graph::Graph& graph = stored.model.graph;
        entry["inputs"] = tensors(graph.inputs(), graph);
        entry["outputs"] = tensors(graph.outputs(), graph);
        entry["nodes"] = graph.nodes().size();
        for (const graph::NamedOperand& input : graph.inputs()) {
            rows.push_back({"input", std::format("{} {}", input.name,
                                                 graph::to_string(graph.desc(input.id)))});
        }
        for (const graph::NamedOperand& output : graph.outputs()) {
            rows.push_back({"output", std::format("{} {}", output.name,
                                                  graph::to_string(graph.desc(output.id)))});
        }
    }
    return as_json ? print_json(entry) : print(table(rows, 2));
}

Status verify(const std::vector<std::string>& names, bool as_json) {
    std::vector<const models::Manifest*> wanted;
    for (const std::string& name : names) {
        SLUICE_TRY_ASSIGN(const models::Manifest* const manifest, find(name));
        wanted.push_back(manifest);
    }
    if (names.empty()) {
        wanted = known_models();
    }
    Json entries = Json::array();
    std::vector<std::vector<std::string>> rows;
    std::size_t wrong = 0;
    std::size_t missing = 0;
    Progress progress("verifying");
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        progress.update(static_cast<double>(i) / static_cast<double>(wanted.size()),
                        wanted[i]->name);
        const std::string path = path_of(*wanted[i]);
        const Status status = path.empty() ? Status{} : models::verify_file(*wanted[i], path);
        const std::string state = path.empty() ? "missing" : status ? "ok" : "wrong";
        wrong += status ? 0U : 1U;
        missing += path.empty() ? 1U : 0U;
        rows.push_back({wanted[i]->name, state, status ? path : status.error().message});
        entries.push_back({{"name", wanted[i]->name}, {"state", state}, {"path", path}});
        if (!status) {
            entries.back()["error"] = status.error().message;
        }
    }
    SLUICE_TRY(as_json ? print_json({{"models", entries}}) : print(table(rows, 3)));
    if (wrong > 0) {
        return fail(ErrorCode::Parse, "{} of {} models are not the files of their manifests", wrong,
                    wanted.size());
    }
    // Not having fetched a model is no fault, unless it was asked for.
    if (missing > 0 && (!names.empty() || missing == wanted.size())) {
        return fail(ErrorCode::NotFound, "{} of {} models are missing", missing, wanted.size());
    }
    return {};
}

} // namespace

void add_models(CLI::App& app, Action& action) {
    struct Options {
        bool json = false;
        std::string name;
        std::vector<std::string> names;
    };
    CLI::App* command = app.add_subcommand(
        "models", "Models of the zoo and of yours: list, show, verify, add, save, seal");
    command->require_subcommand(1);
    auto options = std::make_shared<Options>();

    CLI::App* list_command = command->add_subcommand("list", "List the models");
    list_command->callback(
        [options, &action] { action = [options] { return list(options->json); }; });

    CLI::App* show_command = command->add_subcommand("show", "Show one model");
    show_command->add_option("NAME", options->name, "A name of the zoo")->required();
    show_command->callback(
        [options, &action] { action = [options] { return show(options->name, options->json); }; });

    CLI::App* verify_command = command->add_subcommand("verify", "Compare files with their hashes");
    verify_command->add_option("NAME", options->names, "Names of the zoo; none: all");
    verify_command->callback([options, &action] {
        action = [options] { return verify(options->names, options->json); };
    });
    add_model_card(*command, action);
    for (CLI::App* sub : {list_command, show_command, verify_command}) {
        sub->add_flag("--json", options->json, "Print JSON");
    }
    add_model_files(*command, action);
}

} // namespace sluice::cli
