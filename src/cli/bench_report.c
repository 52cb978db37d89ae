// The report of a load. The table is for people; scripts take --json, whose names stay.
#include "cli/bench_report.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/stop.h"

static const double BUSY = 0.9;

bool bench_progress(void *ctx, const struct load_progress *progress) {
    struct bench_line *line = ctx;
    double passed = progress->elapsed_s - line->elapsed_s;
    double rate = passed > 0 ? (double)(progress->delivered - line->delivered) / passed : 0;
    line->delivered = progress->delivered;
    line->elapsed_s = progress->elapsed_s;
    if (line->terminal) {
        fprintf(stderr,
                "\r\033[K%s  %.0f s  %llu/%llu listening  %llu published  %llu delivered "
                "(%.0f/s)%s",
                progress->doing, progress->elapsed_s, (unsigned long long)progress->listening,
                (unsigned long long)progress->listeners, (unsigned long long)progress->published,
                (unsigned long long)progress->delivered, rate,
                progress->faults ? "  NOT IN ORDER" : "");
        fflush(stderr);
        line->shown = true;
    }
    return !stop_asked();
}

void bench_line_clear(struct bench_line *line) {
    if (line->shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        line->shown = false;
    }
}

bool bench_flawless(const struct load_settings *settings, const struct load_result *result) {
    const struct sequence_faults *faults = &result->faults;
    return result->listening == settings->subscribers && !result->closed && !result->refused &&
           !faults->missing && !faults->late && !faults->duplicates && !result->damaged &&
           !result->foreign && !result->refused_events && !result->unsent;
}

bool bench_was_bottleneck(const struct load_result *result) {
    return result->busiest > BUSY || result->crowded > BUSY;
}

static double cpu_us(const struct load_result *result) {
    bool known = result->before.cpu_ns >= 0 && result->after.cpu_ns >= 0;
    return known ? (double)(result->after.cpu_ns - result->before.cpu_ns) / 1e3 : -1;
}

static double connect_cpu_us(const struct load_result *result) {
    bool known = result->idle.cpu_ns >= 0 && result->connected.cpu_ns >= 0;
    return known ? (double)(result->connected.cpu_ns - result->idle.cpu_ns) / 1e3 : -1;
}

static double each(double all, uint64_t count) {
    return count && all >= 0 ? all / (double)count : -1;
}

static double a_second(uint64_t count, double seconds) {
    return seconds > 0 ? (double)count / seconds : 0;
}

// In a storm all deliveries but those of the first round are the catching up.
static uint64_t deliveries(const struct load_settings *settings, const struct load_result *result) {
    return settings->catch_up ? result->caught_up * (uint64_t)settings->catch_up
                              : result->measured_deliveries;
}

static double bytes_each(const struct load_settings *settings, const struct load_result *result) {
    if (result->settled_pss < 0 || result->idle.pss_bytes < 0) {
        return -1;
    }
    return each((double)(result->settled_pss - result->idle.pss_bytes), settings->subscribers);
}

// The share of the server's time that it spent outside of the kernel.
static double user_share(const struct load_result *result) {
    double user = (double)(result->after.user_ns - result->before.user_ns);
    double all = user + (double)(result->after.system_ns - result->before.system_ns);
    return all > 0 ? user / all : -1;
}

static void times(const char *name, const struct histogram *histogram) {
    static const double shares[] = {0.5, 0.9, 0.99, 0.999};
    printf("%-22s", name);
    for (unsigned i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        printf("  p%-5g%9.3f", shares[i] * 100, (double)histogram_at(histogram, shares[i]) / 1e3);
    }
    printf("  max%11.3f\n", (double)histogram->max / 1e3);
}

static void table_server(const struct load_settings *settings, const struct load_result *result) {
    double cpu = cpu_us(result);
    if (cpu < 0) {
        return;
    }
    printf("%-22s%.2f s, %.0f %% of it in user space\n", "server, CPU", cpu / 1e6,
           100 * user_share(result));
    printf("%-22s%.3f us\n", "  each delivery", each(cpu, deliveries(settings, result)));
    if (!settings->catch_up) {
        printf("%-22s%.2f us, with its deliveries\n", "  each publish",
               each(cpu, result->measured_published));
    }
    if (settings->subscribers) {
        printf("%-22s%.1f us to let in\n", "  each listener",
               each(connect_cpu_us(result), result->listening));
        printf("%-22s%.0f bytes of memory (proportional set size)\n", "",
               bytes_each(settings, result));
    }
}

static void table_traffic(const struct load_settings *settings, const struct load_result *result) {
    uint64_t count = result->carried;
    if (count == 0) {
        return;
    }
    printf("%-22s%.0f bytes received", "each delivery", each((double)result->received, count));
    if (settings->transport == LOAD_POLL) {
        printf(", %.0f sent, %.3f requests", each((double)result->sent, count),
               each((double)result->requests, count));
    }
    puts("");
}

static void table_order(const struct load_settings *settings, const struct load_result *result) {
    const struct sequence_faults *faults = &result->faults;
    if (bench_flawless(settings, result)) {
        printf("%-22severy event reached everyone, once and in order\n", "order");
        return;
    }
    printf("%-22s%llu missing, %llu late, %llu duplicates, %llu damaged, %llu foreign\n", "ORDER",
           (unsigned long long)faults->missing, (unsigned long long)faults->late,
           (unsigned long long)faults->duplicates, (unsigned long long)result->damaged,
           (unsigned long long)result->foreign);
    printf("%-22s%u connections refused, %u closed; %llu events refused, %llu not sent in time\n",
           "", result->refused, result->closed, (unsigned long long)result->refused_events,
           (unsigned long long)result->unsent);
}

void bench_table(const struct load_settings *settings, const struct load_result *result) {
    uint64_t count = deliveries(settings, result);
    printf("%-22s%u in %.3f s, %.0f a second%s\n", "listeners", result->listening,
           result->connect_s, a_second(result->listening, result->connect_s),
           result->connect_busiest > BUSY ? " (as fast as the generator could)" : "");
    printf("%-22s%llu in %.2f s, %.0f a second\n", "deliveries", (unsigned long long)count,
           result->measured_s, a_second(count, result->measured_s));
    if (settings->catch_up) {
        printf("%-22s%u of %u in %.3f s; the last stream began after %.3f s\n", "caught up",
               result->caught_up, settings->subscribers, result->catch_up_s, result->reconnect_s);
        times("caught up after, ms", &result->catch_up);
    } else {
        printf("%-22s%llu in %.2f s, %.0f a second\n", "events",
               (unsigned long long)result->measured_published, result->measured_s,
               a_second(result->measured_published, result->measured_s));
        times("latency, ms", &result->latency);
        times("acknowledged, ms", &result->acknowledged);
    }
    table_traffic(settings, result);
    table_server(settings, result);
    table_order(settings, result);
    printf("%-22s%.2f s of CPU, its busiest thread %.0f %%, its processors %.0f %%\n",
           "this generator", result->own_cpu_s, 100 * result->busiest, 100 * result->crowded);
    if (bench_was_bottleneck(result)) {
        printf("%-22sthe generator was the bottleneck: give it more --threads or processors; "
               "the server may be faster than this\n",
               "NOTE");
    }
}

static void json_times(const char *name, const struct histogram *histogram) {
    printf("  \"%s_us\": {\"count\": %llu, \"mean\": %.1f, \"p50\": %llu, \"p90\": %llu, "
           "\"p99\": %llu, \"p999\": %llu, \"max\": %llu},\n",
           name, (unsigned long long)histogram->count,
           histogram->count ? (double)histogram->sum / (double)histogram->count : 0,
           (unsigned long long)histogram_at(histogram, 0.5),
           (unsigned long long)histogram_at(histogram, 0.9),
           (unsigned long long)histogram_at(histogram, 0.99),
           (unsigned long long)histogram_at(histogram, 0.999), (unsigned long long)histogram->max);
}

// A figure that is not known is null.
static void json_figure(const char *name, double value) {
    if (value < 0) {
        printf("  \"%s\": null,\n", name);
    } else {
        printf("  \"%s\": %.4f,\n", name, value);
    }
}

static void json_count(const char *name, uint64_t value) {
    printf("  \"%s\": %llu,\n", name, (unsigned long long)value);
}

static void json_order(const struct load_result *result) {
    json_count("expected", result->expected);
    json_count("missing", result->faults.missing);
    json_count("late", result->faults.late);
    json_count("duplicates", result->faults.duplicates);
    json_count("damaged", result->damaged);
    json_count("foreign", result->foreign);
    json_count("refused_connections", result->refused);
    json_count("closed_connections", result->closed);
    json_count("refused_events", result->refused_events);
    json_count("unsent_events", result->unsent);
}

void bench_json(const struct load_settings *settings, const struct load_result *result) {
    uint64_t count = deliveries(settings, result);
    puts("{");
    json_count("subscribers", settings->subscribers);
    json_count("topics", settings->topics);
    json_count("size", settings->size);
    json_count("listening", result->listening);
    json_figure("connect_s", result->connect_s);
    json_figure("connects_per_s", a_second(result->listening, result->connect_s));
    json_figure("cpu_us_per_connect", each(connect_cpu_us(result), result->listening));
    json_figure("generator_connect_busiest", result->connect_busiest);
    json_figure("measured_s", result->measured_s);
    json_count("events", result->measured_published);
    json_figure("events_per_s", a_second(result->measured_published, result->measured_s));
    json_count("deliveries", count);
    json_figure("deliveries_per_s", a_second(count, result->measured_s));
    json_count("all_published", result->published);
    json_count("all_delivered", result->delivered);
    json_count("bytes", result->bytes);
    json_count("requests", result->requests);
    json_figure("received_per_delivery", each((double)result->received, result->carried));
    json_figure("sent_per_delivery", each((double)result->sent, result->carried));
    json_order(result);
    json_times("latency", &result->latency);
    json_times("acknowledged", &result->acknowledged);
    json_times("sent_late", &result->late);
    json_count("caught_up", result->caught_up);
    json_figure("catch_up_s", result->catch_up_s);
    json_figure("reconnect_s", result->reconnect_s);
    json_times("catch_up", &result->catch_up);
    json_figure("server_cpu_s", cpu_us(result) / 1e6);
    json_figure("server_user_share", user_share(result));
    json_figure("cpu_us_per_delivery", each(cpu_us(result), count));
    json_figure("cpu_us_per_publish", each(cpu_us(result), result->measured_published));
    json_figure("bytes_per_listener", bytes_each(settings, result));
    json_figure("generator_cpu_s", result->own_cpu_s);
    json_figure("generator_busiest", result->busiest);
    json_figure("generator_crowded", result->crowded);
    printf("  \"generator_was_bottleneck\": %s,\n",
           bench_was_bottleneck(result) ? "true" : "false");
    printf("  \"interrupted\": %s,\n", result->interrupted ? "true" : "false");
    printf("  \"flawless\": %s\n}\n", bench_flawless(settings, result) ? "true" : "false");
}
