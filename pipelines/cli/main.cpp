// SPDX-License-Identifier: Apache-2.0
// The program `sluice`: parses the command line, runs one subcommand, turns errors into one line
// and an exit code (0 done, 1 failed, 2 wrong usage, 130 interrupted).
#include <cstdio>
#include <exception>
#include <format>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/base/log.h"
#include "pipelines/cli/command.h"
#include "pipelines/cli/interrupt.h"
#include "pipelines/cli/suggest.h"

namespace sluice::cli {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kInterrupted = 130;

// The innermost subcommand that was named on the command line.
const CLI::App& innermost(const CLI::App& app) {
    const auto chosen = app.get_subcommands();
    return chosen.empty() ? app : innermost(*chosen.front());
}

std::vector<std::string> names_of_options(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            names.push_back("--" + name);
        }
    }
    return names;
}

// CLI11 names what it did not expect; this adds what was probably meant.
std::string usage_text(const CLI::App& app, const CLI::ParseError& error,
                       const std::vector<std::string>& arguments) {
    const CLI::App& command = innermost(app);
    const std::vector<std::string> options = names_of_options(command);
    for (const std::string& argument : arguments) {
        const std::string name = argument.substr(0, argument.find('='));
        if (name.starts_with("--") && name.size() > 2 &&
            std::ranges::find(options, name) == options.end()) {
            return std::format("unknown option '{}'{}", name, did_you_mean(name, options));
        }
    }
    std::string text = error.what();
    std::ranges::replace(text, '\n', ' ');
    return text;
}

// A subcommand that does not exist, before CLI11 complains about what follows it.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& arguments) {
    const CLI::App* level = &app;
    for (const std::string& argument : arguments) {
        const auto commands = level->get_subcommands([](const CLI::App*) { return true; });
        if (argument.starts_with("-") || commands.empty()) {
            break;
        }
        std::vector<std::string> names;
        const CLI::App* next = nullptr;
        for (const CLI::App* command : commands) {
            names.push_back(command->get_name());
            next = command->get_name() == argument ? command : next;
        }
        if (next == nullptr) {
            return std::format("unknown command '{}'{}", argument, did_you_mean(argument, names));
        }
        level = next;
    }
    return {};
}

void complain(std::string_view text) {
    std::fputs(std::format("sluice: {}\n", text).c_str(), stderr);
}

int usage(const CLI::App& app, const std::string& text) {
    std::string path = "sluice";
    for (const CLI::App* level = &app; !level->get_subcommands().empty();) {
        level = level->get_subcommands().front();
        path += " " + level->get_name();
    }
    complain(std::format("{} (see '{} --help')", text, path));
    return kUsage;
}

int run(int argc, char** argv) {
    CLI::App app("Neural networks inside media pipelines, without copying the frames.", "sluice");
    app.set_version_flag("--version", "sluice " SLUICE_VERSION);
    app.require_subcommand(1);
    bool is_verbose = false;
    app.add_flag("-v,--verbose", is_verbose, "Show the engine's warnings on stderr");
    app.add_option_function<std::string>(
           "--model-key",
           // Every way of opening a model reads this variable, elements of a pipeline included.
           [](const std::string& source) { ::setenv("SLUICE_MODEL_KEY", source.c_str(), 1); },
           "Where the key of sealed models is: a file, env:NAME or keyring:NAME")
        ->type_name("SOURCE");
    Action action;
    add_run(app, action);
    add_infer(app, action);
    add_bench(app, action);
    add_models(app, action);
    add_graph(app, action);
    add_devices(app, action);
    add_doctor(app, action);

    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.empty()) {
        std::fputs(app.help().c_str(), stderr);
        return kUsage;
    }
    if (const std::string text = unknown_command(app, arguments); !text.empty()) {
        return usage(app, text);
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& success) { // --help and --version
        return app.exit(success);
    } catch (const CLI::ParseError& error) {
        return usage(app, usage_text(app, error, arguments));
    }
    if (is_verbose) {
        log::set_sink([](log::Level level, std::string_view category, std::string_view message) {
            if (level <= log::Level::Warning) {
                complain(std::format("{}: {}", category, message));
            }
        });
    }
    const Status status = action();
    if (!status) {
        complain(status.error().message);
        return was_interrupted() ? kInterrupted : kFailed;
    }
    return 0;
}

} // namespace
} // namespace sluice::cli

int main(int argc, char** argv) {
    try {
        return sluice::cli::run(argc, argv);
    } catch (const std::exception& error) { // allocation, JSON, CLI11
        sluice::cli::complain(error.what());
        return sluice::cli::kFailed;
    }
}
