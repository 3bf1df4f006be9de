// SPDX-License-Identifier: Apache-2.0
// `sluice graph`: a model's network as text, DOT or JSON, as it was loaded or as it will run.
#include "core/graph/print.h"
#include "models/store/store.h"
#include "pipelines/cli/command.h"
#include "pipelines/cli/output.h"
#include "pipelines/cli/plan.h"
#include "pipelines/cli/size.h"

namespace sluice::cli {
namespace {

struct GraphOptions {
    std::string model;
    std::string format = "text";
    Size size;
    bool optimized = false;
    bool json = false;
    EngineOptions engine;
};

Json describe(const graph::Graph& graph, graph::OperandId id) {
    const graph::Operand& operand = graph.operand(id);
    Json entry{{"id", graph::index(id)},
               {"type", graph::name(operand.desc.type())},
               {"shape", operand.desc.shape().dims()}};
    if (!operand.name.empty()) {
        entry["name"] = operand.name;
    }
    if (operand.kind == graph::OperandKind::Constant) {
        entry["constant"] = true;
    }
    return entry;
}

Json to_json(const graph::Graph& graph) {
    Json inputs = Json::array();
    for (const graph::NamedOperand& input : graph.inputs()) {
        inputs.push_back(describe(graph, input.id));
    }
    Json outputs = Json::array();
    for (const graph::NamedOperand& output : graph.outputs()) {
        Json entry = describe(graph, output.id);
        entry["name"] = output.name;
        outputs.push_back(entry);
    }
    Json nodes = Json::array();
    for (const graph::Node& node : graph.nodes()) {
        Json operands = Json::array();
        for (const graph::OperandId id : node.inputs) {
            operands.push_back(describe(graph, id));
        }
        Json results = Json::array();
        for (const graph::OperandId id : node.outputs) {
            results.push_back(describe(graph, id));
        }
        nodes.push_back({{"op", ops::name_of(node.attributes)},
                         {"attributes", ops::describe(node.attributes)},
                         {"label", node.label},
                         {"inputs", operands},
                         {"outputs", results}});
    }
    return {{"inputs", inputs}, {"outputs", outputs}, {"nodes", nodes}};
}

Status show(const GraphOptions& options) {
    SLUICE_TRY_ASSIGN(auto stored, models::open_model(options.model, options.size.load_options()));
    const auto text_of = [&](const graph::Graph& graph) {
        return options.format == "dot" ? graph::to_dot(graph) : graph::to_text(graph);
    };
    if (!options.optimized) {
        const graph::Graph& graph = stored.model.graph;
        return options.json ? print_json(to_json(graph)) : print(text_of(graph));
    }
    SLUICE_TRY_ASSIGN(const auto executable,
                      compile(std::move(stored.model.graph), options.engine));
    if (options.json) {
        Json json = to_json(executable->graph());
        json["steps"] = plan_json(*executable);
        return print_json(json);
    }
    const std::string text = text_of(executable->graph());
    return print(options.format == "dot" ? text : text + "\n" + plan_text(*executable));
}

} // namespace

void add_graph(CLI::App& app, Action& action) {
    CLI::App* command = app.add_subcommand("graph", "Show a model's network");
    auto options = std::make_shared<GraphOptions>();
    command->add_option("MODEL", options->model, "A name of the zoo or a path")->required();
    command->add_option("--format", options->format, "Text, or DOT for Graphviz")
        ->check(one_of("format", {"text", "dot"}))
        ->type_name("FORMAT")
        ->capture_default_str();
    command->add_flag("--optimized", options->optimized,
                      "After the passes, as it runs, and on which device");
    command->add_flag("--json", options->json, "Print JSON");
    add_size_option(*command, options->size);
    add_engine_options(*command, options->engine);
    command->callback([options, &action] { action = [options] { return show(*options); }; });
}

} // namespace sluice::cli
