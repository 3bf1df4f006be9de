// SPDX-License-Identifier: Apache-2.0
// What a subcommand is: options on a CLI11 application, and an action that runs once they are read.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include <CLI/App.hpp>

#include "core/base/result.h"
#include "core/engine.h"

namespace sluice::cli {

// The action of the subcommand that was chosen; main() runs it after parsing.
using Action = std::function<Status()>;

// Each adds one subcommand, in a file of its own.
void add_bench(CLI::App& app, Action& action);
void add_devices(CLI::App& app, Action& action);
void add_doctor(CLI::App& app, Action& action);
void add_graph(CLI::App& app, Action& action);
void add_infer(CLI::App& app, Action& action);
void add_models(CLI::App& app, Action& action);
void add_run(CLI::App& app, Action& action);

// The subcommands of `bench`, added by it.
void add_bench_machine(CLI::App& bench, Action& action);
void add_bench_model(CLI::App& bench, Action& action);
void add_bench_pipeline(CLI::App& bench, Action& action);

// The verbs of `models` that make files, added by it.
void add_model_files(CLI::App& models, Action& action);
// `models card`, added by `models`.
void add_model_card(CLI::App& models, Action& action);

// --device and --threads.
void add_engine_options(CLI::App& command, EngineOptions& options);

// Accepts one of these words; the message of a refusal has the closest one.
[[nodiscard]] CLI::Validator one_of(std::string_view what,
                                    std::initializer_list<std::string_view> words);

} // namespace sluice::cli
