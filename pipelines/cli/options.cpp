// SPDX-License-Identifier: Apache-2.0
// Options that several subcommands share.
#include <vector>

#include <CLI/CLI.hpp>

#include "pipelines/cli/command.h"
#include "pipelines/cli/suggest.h"

namespace sluice::cli {

CLI::Validator one_of(std::string_view what, std::initializer_list<std::string_view> words) {
    const std::vector<std::string> known(words.begin(), words.end());
    std::string list;
    for (const std::string& word : known) {
        list += (list.empty() ? "" : ", ") + word;
    }
    return CLI::Validator(
        [what = std::string(what), known, list](std::string& word) -> std::string {
            if (std::ranges::contains(known, word)) {
                return {};
            }
            return std::format("unknown {} '{}'{} (known: {})", what, word,
                               did_you_mean(word, known), list);
        },
        list, std::string(what));
}

void add_engine_options(CLI::App& command, EngineOptions& options) {
    command
        .add_option_function<std::string>(
            "--device",
            [&options](const std::string& text) {
                // The validator let only known names through.
                options.device = device_from_name(text).value_or(DeviceKind::Auto);
            },
            "Where the network runs; `sluice devices` lists what there is")
        ->check(CLI::Validator(
            [](std::string& word) -> std::string {
                const auto choice = device_from_name(word);
                return choice ? std::string()
                              : choice.error().message + did_you_mean(word, device_kind_names());
            },
            "auto, cpu, reference, vulkan, vulkan:NUMBER, vulkan:NAME", "device"))
        ->type_name("DEVICE")
        ->default_str("auto");
    command.add_option("--threads", options.threads, "Threads of the CPU; 0: one per core")
        ->check(CLI::Range(0, 1024))
        ->type_name("N");
}

} // namespace sluice::cli
