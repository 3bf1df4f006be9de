// SPDX-License-Identifier: Apache-2.0
// `sluice bench pipeline`: runs a launch line and accounts for its frames, copies, time and memory.
#include <atomic>
#include <chrono>
#include <format>
#include <list>
#include <map>
#include <optional>

#include "core/base/copy_ledger.h"
#include "pipelines/cli/command.h"
#include "pipelines/cli/cost.h"
#include "pipelines/cli/gst_pipeline.h"
#include "pipelines/cli/interrupt.h"
#include "pipelines/cli/output.h"

namespace sluice::cli {
namespace {

using Clock = std::chrono::steady_clock;

// Buffers that reached one sink. Written by its streaming thread.
struct SinkCount {
    std::string name;
    std::atomic<std::uint64_t> buffers = 0;
    std::atomic<std::int64_t> first_ns = 0; // of the steady clock
    std::atomic<std::int64_t> last_ns = 0;
};

std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
        .count();
}

GstPadProbeReturn count_buffer(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer data) {
    auto* count = static_cast<SinkCount*>(data);
    const std::uint64_t more = (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0
                                   ? gst_buffer_list_length(GST_PAD_PROBE_INFO_BUFFER_LIST(info))
                                   : 1;
    if (count->buffers.fetch_add(more) == 0) {
        count->first_ns = now_ns();
    }
    count->last_ns = now_ns();
    return GST_PAD_PROBE_OK;
}

// Calls `visit` with every element of the iterator, which is consumed.
template <typename Visit>
void for_each_element(GstIterator* elements, Visit visit) {
    GValue value = G_VALUE_INIT;
    while (gst_iterator_next(elements, &value) == GST_ITERATOR_OK) {
        visit(GST_ELEMENT(g_value_get_object(&value)));
        g_value_reset(&value);
    }
    g_value_unset(&value);
    gst_iterator_free(elements);
}

// std::list: the probes keep pointers to its items.
std::list<SinkCount> watch_sinks(GstElement* pipeline) {
    std::list<SinkCount> counts;
    for_each_element(gst_bin_iterate_sinks(GST_BIN(pipeline)), [&](GstElement* sink) {
        const gst::Ref<GstPad> pad(gst_element_get_static_pad(sink, "sink"));
        if (!pad) {
            return; // a bin with request pads only; nothing to count
        }
        SinkCount& count = counts.emplace_back();
        count.name = GST_OBJECT_NAME(sink);
        gst_pad_add_probe(pad.get(),
                          static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER |
                                                       GST_PAD_PROBE_TYPE_BUFFER_LIST),
                          count_buffer, &count, nullptr);
    });
    return counts;
}

// What one of our elements says in its property `stats`.
struct ElementStats {
    std::string name;
    std::map<std::string, std::uint64_t> fields;

    [[nodiscard]] std::uint64_t field(const std::string& key) const {
        const auto found = fields.find(key);
        return found == fields.end() ? 0 : found->second;
    }
};

std::vector<ElementStats> read_stats(GstElement* pipeline) {
    std::vector<ElementStats> all;
    for_each_element(gst_bin_iterate_recurse(GST_BIN(pipeline)), [&](GstElement* element) {
        const GstElementFactory* factory = gst_element_get_factory(element);
        if (factory == nullptr ||
            !std::string_view(GST_OBJECT_NAME(factory)).starts_with("sluice") ||
            g_object_class_find_property(G_OBJECT_GET_CLASS(element), "stats") == nullptr) {
            return;
        }
        GstStructure* structure = nullptr;
        g_object_get(element, "stats", &structure, nullptr);
        if (structure == nullptr) {
            return;
        }
        ElementStats& stats = all.emplace_back();
        stats.name = GST_OBJECT_NAME(element);
        for (int i = 0; i < gst_structure_n_fields(structure); ++i) {
            const char* key = gst_structure_nth_field_name(structure, static_cast<guint>(i));
            guint64 value = 0;
            if (gst_structure_get_uint64(structure, key, &value) != FALSE) {
                stats.fields[key] = value;
            }
        }
        gst_structure_free(structure);
    });
    return all;
}

// What was taken down at the end of the stream, before the elements went to NULL.
struct Accounts {
    std::int64_t start_ns = 0; // of the steady clock: the elements were made and nothing was loaded
    double wall_seconds = 0.0; // from PLAYING
    double cpu_seconds = 0.0;
    std::vector<ElementStats> elements;
};

Json describe(const ElementStats& element) {
    Json entry{{"element", element.name}};
    for (const auto& [key, value] : element.fields) {
        entry[key] = value;
    }
    return entry;
}

Json copies_per_frame(const Accounts& accounts, std::uint64_t frames) {
    Json reasons = Json::object();
    for (std::size_t i = 0; i < kCopyReasonCount; ++i) {
        const std::string reason(name(static_cast<CopyReason>(i)));
        std::uint64_t bytes = 0;
        for (const ElementStats& element : accounts.elements) {
            bytes += element.field("copied-bytes-" + reason);
        }
        reasons[reason] = rounded(static_cast<double>(bytes) / static_cast<double>(frames), 3);
    }
    return reasons;
}

// Frames a second that our elements could do if nothing else took time; null without ours.
Json engine_fps(const Accounts& accounts) {
    std::uint64_t us = 0;
    for (const ElementStats& element : accounts.elements) {
        us += element.field("latency-p50-us");
    }
    return us == 0 ? Json() : Json(rounded(1e6 / static_cast<double>(us), 3));
}

Json make_report(const std::string& line, const Accounts& accounts,
                 const std::list<SinkCount>& sinks) {
    std::uint64_t frames = 0;
    const SinkCount* busiest = nullptr;
    Json sink_entries = Json::array();
    for (const SinkCount& sink : sinks) {
        sink_entries.push_back({{"sink", sink.name}, {"buffers", sink.buffers.load()}});
        if (busiest == nullptr || sink.buffers > busiest->buffers) {
            busiest = &sink;
            frames = sink.buffers;
        }
    }
    std::uint64_t copied = 0;
    Json elements = Json::array();
    for (const ElementStats& element : accounts.elements) {
        copied += element.field("copied-bytes");
        elements.push_back(describe(element));
    }
    const double per_frame = frames == 0 ? 0.0 : 1.0 / static_cast<double>(frames);
    // Between the first and the last frame: without starting up and loading networks.
    const double steady =
        frames < 2 ? 0.0 : 1e-9 * static_cast<double>(busiest->last_ns - busiest->first_ns);
    return {
        {"line", line},
        {"frames", frames},
        {"wall_seconds", rounded(accounts.wall_seconds, 6)},
        {"fps", rounded(static_cast<double>(frames) / accounts.wall_seconds, 3)},
        {"steady_fps",
         steady > 0.0 ? Json(rounded(static_cast<double>(frames - 1) / steady, 3)) : Json()},
        {"first_frame_ms",
         frames == 0
             ? Json()
             : Json(rounded(1e-6 * static_cast<double>(busiest->first_ns - accounts.start_ns), 3))},
        {"engine_fps", engine_fps(accounts)},
        {"bytes_copied_per_frame", rounded(static_cast<double>(copied) * per_frame, 3)},
        {"bytes_copied_per_frame_by_reason",
         copies_per_frame(accounts, std::max<std::uint64_t>(1, frames))},
        {"cpu_seconds_per_frame", rounded(accounts.cpu_seconds * per_frame, 9)},
        {"peak_rss_bytes", peak_rss_bytes()},
        {"sinks", sink_entries},
        {"elements", elements}};
}

std::string text_of(const Json& json) {
    const auto number = [&](const char* key, int decimals) {
        return json[key].is_null() ? std::string("-")
                                   : std::format("{:.{}f}", json[key].get<double>(), decimals);
    };
    std::vector<std::vector<std::string>> rows{
        {"frames",
         std::format("{} in {} s", json["frames"].get<std::uint64_t>(), number("wall_seconds", 2))},
        {"pipeline", number("fps", 1) + " frames a second, " + number("steady_fps", 1) +
                         " from the first to the last"},
        {"start", number("first_frame_ms", 1) + " ms to the first frame, loading included"},
        {"engine", number("engine_fps", 1) + " frames a second, by the median of each element"},
        {"copied", number("bytes_copied_per_frame", 0) + " bytes a frame"},
    };
    for (const auto& [reason, bytes] : json["bytes_copied_per_frame_by_reason"].items()) {
        if (bytes.get<double>() > 0.0) {
            rows.push_back({"", std::format("{:.0f} {}", bytes.get<double>(), reason)});
        }
    }
    rows.push_back({"CPU", std::format("{:.3f} ms a frame",
                                       1e3 * json["cpu_seconds_per_frame"].get<double>())});
    rows.push_back({"memory", bytes_text(json["peak_rss_bytes"].get<std::size_t>()) + " at most"});
    std::string text = table(rows, 2);
    if (!json["elements"].empty()) {
        std::vector<std::vector<std::string>> elements{
            {"element", "frames", "inferences", "p50 ms", "p95 ms", "p99 ms"}};
        for (const Json& element : json["elements"]) {
            const auto ms = [&](const char* key) {
                return std::format("{:.3f}", 1e-3 * element.value(key, 0.0));
            };
            elements.push_back({element["element"].get<std::string>(),
                                std::to_string(element.value("frames", 0)),
                                std::to_string(element.value("inferences", 0)),
                                ms("latency-p50-us"), ms("latency-p95-us"), ms("latency-p99-us")});
        }
        text += "\n" + table(elements, 1);
    }
    return text;
}

Status bench(const std::string& line, bool as_json) {
    catch_interrupts();
    SLUICE_TRY(init_gstreamer());
    SLUICE_TRY_ASSIGN(const auto pipeline, parse_line(line));
    // NOLINTNEXTLINE(misc-const-correctness): probes count in it
    std::list<SinkCount> sinks = watch_sinks(pipeline.get());
    if (sinks.empty()) {
        return fail(ErrorCode::InvalidArgument,
                    "the launch line has no sink; end it with '! fakesink'");
    }
    Accounts accounts;
    std::optional<Clock::time_point> start;
    double cpu_at_start = 0.0;
    accounts.start_ns = now_ns();
    SLUICE_TRY(
        run_to_end(pipeline.get(),
                   {.progress = "running",
                    .playing =
                        [&] {
                            if (!start) {
                                start = Clock::now();
                                cpu_at_start = cpu_seconds();
                            }
                        },
                    .ended =
                        [&] {
                            const auto end = Clock::now();
                            accounts.wall_seconds =
                                std::chrono::duration<double>(end - start.value_or(end)).count();
                            accounts.cpu_seconds = cpu_seconds() - cpu_at_start;
                            accounts.elements = read_stats(pipeline.get());
                        }}));
    const Json report = make_report(line, accounts, sinks);
    if (report["frames"] == 0) {
        return fail(ErrorCode::Parse, "no buffer reached a sink of the launch line");
    }
    return as_json ? print_json(report) : print(text_of(report));
}

} // namespace

void add_bench_pipeline(CLI::App& bench_command, Action& action) {
    struct Options {
        std::string line;
        bool json = false;
    };
    CLI::App* command = bench_command.add_subcommand(
        "pipeline", "Frames, copies, time and memory of a GStreamer launch line");
    auto options = std::make_shared<Options>();
    command
        ->add_option("LINE", options->line,
                     "As for gst-launch-1.0, in quotes; sinks with sync=true keep real time")
        ->required();
    command->add_flag("--json", options->json, "Print JSON");
    command->callback(
        [options, &action] { action = [options] { return bench(options->line, options->json); }; });
}

} // namespace sluice::cli
