// SPDX-License-Identifier: Apache-2.0
// `sluice models card`: what a model is for, what it is not for, where it comes from, and what our
// own evaluation measured.
#include <algorithm>
#include <cstddef>
#include <format>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/store/store.h"
#include "models/store/zoo_table.h"
#include "pipelines/cli/command.h"
#include "pipelines/cli/output.h"
#include "pipelines/cli/suggest.h"
#include "pipelines/cli/tensor_json.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kTextColumns = 100;
constexpr std::size_t kLabelColumns = 14;

// The manifest as written; of a model outside the zoo what its entry has.
Json manifest_of(const models::Manifest& manifest) {
    const auto texts = models::zoo_texts();
    const auto found = std::ranges::find(texts, manifest.name, &models::ZooText::name);
    if (found != texts.end()) {
        return Json::parse(found->json);
    }
    return {{"name", manifest.name},     {"title", manifest.title},  {"task", manifest.task},
            {"format", manifest.format}, {"file", manifest.file},    {"licence", manifest.licence},
            {"source", manifest.source}, {"sha256", manifest.sha256}};
}

// How a pixel's 0..255 becomes an input's value.
Json normalisation(const Json& input) {
    const double low = input.at("range").at(0);
    const double high = input.at("range").at(1);
    return {{"channels", input.at("channels")},
            {"range", input.at("range")},
            {"scale", rounded((high - low) / 255.0, 9)},
            {"offset", low}};
}

// Moves `from` of the manifest to `to` of the card, where it is there.
void take(Json& card, const Json& manifest, const std::string& from, const std::string& to) {
    if (manifest.contains(from)) {
        card[to] = manifest[from];
    }
}

Result<Json> card_of(const models::Manifest& entry) {
    const Json manifest = manifest_of(entry);
    Json card;
    for (const auto& [from, to] :
         std::initializer_list<std::pair<const char*, const char*>>{{"name", "name"},
                                                                    {"title", "title"},
                                                                    {"task", "task"},
                                                                    {"description", "description"},
                                                                    {"use", "intended_use"},
                                                                    {"limits", "limitations"},
                                                                    {"licence", "licence"}}) {
        take(card, manifest, from, to);
    }
    if (manifest.contains("input")) {
        card["normalisation"] = normalisation(manifest["input"]);
    }
    // A model that has not been fetched has a card too, without the tensors that its file knows.
    auto stored = models::open_model(entry.name);
    if (stored) {
        const graph::Graph& graph = stored->model.graph;
        card["inputs"] = tensors(graph.inputs(), graph);
        card["outputs"] = tensors(graph.outputs(), graph);
    } else if (stored.error().code != ErrorCode::NotFound) {
        return std::unexpected(std::move(stored.error()));
    }
    take(card, manifest, "settings", "settings");
    Json& provenance = card["provenance"];
    for (const char* key : {"source", "format", "file", "bytes", "sha256"}) {
        take(provenance, manifest, key, key);
    }
    card["figures"] = manifest.value("figures", Json::array());
    return card;
}

// A label and its text, broken between words; the further lines stand under the first.
std::string paragraph(std::string_view label, std::string_view text) {
    std::string result = std::format("{:{}}", label, kLabelColumns);
    std::size_t column = kLabelColumns;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (column > kLabelColumns && column + 1 + end > kTextColumns) {
            result += "\n" + std::string(kLabelColumns, ' ');
            column = kLabelColumns;
        } else if (column > kLabelColumns) {
            result += ' ';
            ++column;
        }
        result += text.substr(0, end);
        column += end;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return result + "\n";
}

std::string tensor_text(const Json& tensor) {
    std::string shape;
    for (const auto& size : tensor["shape"]) {
        shape += (shape.empty() ? "" : ",") + size.dump();
    }
    return std::format("{} {}[{}]", tensor["name"].get<std::string>(),
                       tensor["type"].get<std::string>(), shape);
}

std::string source_text(const Json& source) {
    if (source.is_string()) {
        return source.get<std::string>();
    }
    std::string text;
    for (const auto& [key, value] : source.items()) {
        text += (text.empty() ? "" : ", ") + key + " " + value.get<std::string>();
    }
    return text;
}

std::string figures_text(const Json& figures) {
    if (figures.empty()) {
        return paragraph("figures", "none were measured");
    }
    std::string text;
    for (const Json& figure : figures) {
        text +=
            "\n" + paragraph("figure", std::format("{} {} {}", figure["measure"].get<std::string>(),
                                                   figure["value"].dump(),
                                                   figure["unit"].get<std::string>()));
        for (const char* key : {"data", "truth", "command"}) {
            text += paragraph(std::string("  ") + key, figure[key].get<std::string>());
        }
    }
    return text;
}

std::string card_text(const Json& card) {
    std::string text;
    for (const auto& [key, label] : std::initializer_list<std::pair<const char*, const char*>>{
             {"name", "name"},
             {"title", "title"},
             {"task", "task"},
             {"description", "description"},
             {"intended_use", "intended use"},
             {"limitations", "limitations"},
             {"licence", "licence"}}) {
        if (card.contains(key)) {
            text += paragraph(label, card[key].get<std::string>());
        }
    }
    for (const auto& [key, label] : {std::pair{"inputs", "input"}, {"outputs", "output"}}) {
        for (const Json& tensor : card.value(key, Json::array())) {
            text += paragraph(label, tensor_text(tensor));
        }
    }
    if (card.contains("normalisation")) {
        const Json& rule = card["normalisation"];
        text +=
            paragraph("normalisation", std::format("{}, 0..255 times {} plus {}",
                                                   rule["channels"].get<std::string>(),
                                                   rule["scale"].dump(), rule["offset"].dump()));
    }
    for (const auto& [key, value] : card["provenance"].items()) {
        text += paragraph(key, key == "source"     ? source_text(value)
                               : value.is_string() ? value.get<std::string>()
                                                   : value.dump());
    }
    return text + figures_text(card["figures"]);
}

Status show_card(const std::string& name, bool as_json) {
    const models::Manifest* const manifest = models::find_manifest(name);
    if (manifest == nullptr) {
        std::vector<std::string> names;
        for (const models::Manifest& known : models::zoo()) {
            names.push_back(known.name);
        }
        return fail(ErrorCode::NotFound, "no model is called '{}'{}", name,
                    did_you_mean(name, names));
    }
    SLUICE_TRY_ASSIGN(const Json card, card_of(*manifest));
    return as_json ? print_json(card) : print(card_text(card));
}

} // namespace

void add_model_card(CLI::App& models, Action& action) {
    struct Options {
        std::string name;
        bool json = false;
    };
    CLI::App* command = models.add_subcommand(
        "card", "What a model is for, what it is not for, and what was measured");
    auto options = std::make_shared<Options>();
    command->add_option("NAME", options->name, "A model's name")->required();
    command->add_flag("--json", options->json, "Print JSON");
    command->callback([options, &action] {
        action = [options] { return show_card(options->name, options->json); };
    });
}

} // namespace sluice::cli
