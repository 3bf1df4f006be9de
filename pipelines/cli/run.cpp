// SPDX-License-Identifier: Apache-2.0
// `sluice run`: command line of the tasks on videos and stills.
#include "pipelines/cli/run.h"

#include <algorithm>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>

#include "models/store/store.h"
#include "pipelines/cli/command.h"
#include "pipelines/cli/interrupt.h"
#include "pipelines/cli/suggest.h"

namespace sluice::cli {
namespace {

const std::map<std::string, Task> kTasks{{"face-detection", Task::FaceDetection},
                                         {"segmentation", Task::Segmentation},
                                         {"super-resolution", Task::SuperResolution},
                                         {"redact", Task::Redact}};

std::vector<std::string> effects_of(Task task) {
    switch (task) {
    case Task::Segmentation: return {"blur", "color", "picture", "key"};
    case Task::Redact: return {"blur", "pixelate", "black"};
    case Task::FaceDetection:
    case Task::SuperResolution: return {};
    }
    std::unreachable();
}

// What CLI11 cannot see: which options go together. Throws what CLI11 throws.
void check_together(const RunOptions& options) {
    const auto refuse = [](const std::string& text) { throw CLI::ValidationError(text); };
    if (options.output.empty() && options.mask.empty() && !options.json) {
        refuse("nothing to do: give -o OUTPUT, --json or --mask");
    }
    if (!options.effect.empty()) {
        const auto known = effects_of(options.task);
        if (known.empty()) {
            refuse("--effect is for the tasks segmentation and redact");
        }
        if (!std::ranges::contains(known, options.effect)) {
            std::string list;
            for (const std::string& effect : known) {
                list += (list.empty() ? "" : ", ") + effect;
            }
            refuse("unknown effect '" + options.effect + "' of " + options.task_name +
                   did_you_mean(options.effect, known) + " (known: " + list + ")");
        }
    }
    if (options.effect == "picture" && options.picture.empty()) {
        refuse("--effect picture needs --picture FILE");
    }
    if (!options.mask.empty() && options.task != Task::Segmentation) {
        refuse("--mask is for the task segmentation");
    }
    if (options.json && options.task == Task::SuperResolution) {
        refuse("--json reports faces and mattes; super-resolution makes pictures, use -o");
    }
}

// What the model says that it does: its manifest, else its file. Throws what CLI11 throws.
std::string task_of(const std::string& model) {
    if (model.empty()) {
        throw CLI::RequiredError("--task");
    }
    const auto source = models::resolve(model);
    if (!source) {
        throw CLI::ValidationError(source.error().message);
    }
    std::string task = source->manifest != nullptr ? source->manifest->task : "";
    if (task.empty()) {
        const auto opened = models::open_file(source->path);
        task = opened ? opened->info.task : "";
    }
    if (!kTasks.contains(task)) {
        throw CLI::ValidationError(
            "--task is required: the model '" + model + "' " +
            (task.empty() ? "does not say what it does" : "says '" + task + "', which is no task"));
    }
    return task;
}

Status run_task(const RunOptions& options) {
    catch_interrupts();
    if (options.json || !options.mask.empty()) {
        SLUICE_TRY(report(options));
    }
    return options.output.empty() ? Status{} : render(options);
}

// "RRGGBB" with or without '#'.
std::string check_color(std::string& text) {
    const std::string digits = text.starts_with('#') ? text.substr(1) : text;
    const bool is_hex = digits.size() == 6 && std::ranges::all_of(digits, [](unsigned char c) {
                            return std::isxdigit(c) != 0;
                        });
    if (!is_hex) {
        return "'" + text + "' is no colour such as 00b140";
    }
    text = digits;
    return {};
}

void add_task_options(CLI::App& command, RunOptions& options) {
    command
        .add_option("--effect", options.effect,
                    "segmentation: blur, color, picture or key (needs a .png); redact: blur, "
                    "pixelate or black")
        ->type_name("EFFECT");
    command.add_option("--color", options.color, "Background of --effect color")
        ->check(CLI::Validator(check_color, ""))
        ->type_name("RRGGBB");
    command.add_option("--picture", options.picture, "Background of --effect picture")
        ->type_name("FILE");
    command
        .add_option("--tiling", options.tile_size, "Also search tiles of N pixels for small faces")
        ->check(CLI::Range(16, 65536))
        ->type_name("N");
    command
        .add_option("--score-threshold", options.score_threshold,
                    "Faces below are left out (0.5; redact: 0.3)")
        ->check(CLI::Range(0.0, 1.0))
        ->type_name("0..1");
}

} // namespace

void add_run(CLI::App& app, Action& action) {
    CLI::App* command =
        app.add_subcommand("run", "Run a task on a video or a still (sound is left out)");
    auto options = std::make_shared<RunOptions>();
    command->add_option("INPUT", options->input, "A path or URI of a video or a still")->required();
    command
        ->add_option("-o,--output", options->output,
                     "Result, by its extension: .mp4, .mkv, .webm, .png or .jpg")
        ->type_name("FILE");
    command->add_option("--task", options->task_name, "What to do (default: what --model says)")
        ->check(one_of("task", {"face-detection", "segmentation", "super-resolution", "redact"}))
        ->type_name("TASK");
    command->add_option("--model", options->model, "A name of the zoo or a path")
        ->type_name("MODEL");
    add_engine_options(*command, options->engine);
    add_task_options(*command, *options);
    command
        ->add_option("--mask", options->mask,
                     "Matte of a segmentation; for a video a pattern such as mask-%04d.png")
        ->type_name("FILE.png");
    auto json_file = std::make_shared<std::string>();
    CLI::Option* json = command
                            ->add_option("--json", *json_file,
                                         "Results of every frame as JSON, on stdout or to FILE")
                            ->expected(0, 1)
                            ->type_name("[FILE]");
    command->add_option("--frames", options->frames, "Stop after N frames; 0: all")->type_name("N");
    const CLI::Option* score = command->get_option("--score-threshold");
    command->callback([options, json, json_file, score, &action] {
        if (json->count() > 0) {
            options->json = *json_file;
        }
        if (options->task_name.empty()) {
            options->task_name = task_of(options->model);
        }
        options->task = kTasks.at(options->task_name);
        // A face too many that is made unrecognisable does less harm than one too few.
        if (options->task == Task::Redact && score->count() == 0) {
            options->score_threshold = 0.3F;
        }
        check_together(*options);
        action = [options] { return run_task(*options); };
    });
}

} // namespace sluice::cli
