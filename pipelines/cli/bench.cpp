// SPDX-License-Identifier: Apache-2.0
// `sluice bench`: holds its subcommands.
#include "pipelines/cli/command.h"

namespace sluice::cli {

void add_bench(CLI::App& app, Action& action) {
    CLI::App* command =
        app.add_subcommand("bench", "Measure a model, a GStreamer pipeline or the machine");
    command->require_subcommand(1);
    add_bench_machine(*command, action);
    add_bench_model(*command, action);
    add_bench_pipeline(*command, action);
}

} // namespace sluice::cli
