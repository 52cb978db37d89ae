// Values of each type: reading them, saying what is accepted, showing what was refused. Pure text
// in, numbers out. It refuses what it does not understand whole: "10 k", "1.5h" and "0x10" are
// errors.
#include <stdio.h>

#include "cli/options_private.h"

struct unit {
    const char *name;
    uint64_t factor;
};

// The largest unit first, so that formatting can pick the first that divides.
static const struct unit size_units[] = {{"g", 1 << 30}, {"m", 1 << 20}, {"k", 1 << 10}, {NULL, 1}};
static const struct unit duration_units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000},
                                             {"s", 1000},     {"ms", 1},      {NULL, 1000}};
static const struct unit count_units[] = {{NULL, 1}};

static const struct unit *units_of(const struct option *option) {
    switch (option->type) {
    case OPTION_SIZE:
        return size_units;
    case OPTION_DURATION:
        return duration_units;
    default:
        return count_units;
    }
}

// Every table ends with the factor of a number that has no unit.
static bool unit_factor(const struct unit *unit, struct bytes name, uint64_t *factor) {
    for (; unit->name; unit++) {
        if (bytes_equal_nocase(name, bytes_of(unit->name))) {
            break;
        }
    }
    *factor = unit->factor;
    return unit->name || name.len == 0;
}

static uint64_t highest(const struct option *option) {
    uint64_t reach = option->type == OPTION_DURATION ? INT64_MAX : UINT64_MAX;
    return option->max ? option->max : reach;
}

bool option_read_number(const struct option *option, struct bytes value, uint64_t *out) {
    size_t digits = 0;
    uint64_t number, factor;
    while (digits < value.len && value.at[digits] >= '0' && value.at[digits] <= '9') {
        digits++;
    }
    struct bytes unit = bytes_make(value.at + digits, value.len - digits);
    if (!unit_factor(units_of(option), unit, &factor) ||
        !bytes_to_u64(bytes_make(value.at, digits), UINT64_MAX, &number) ||
        number > highest(option) / factor || number * factor < option->min) {
        return false;
    }
    *out = number * factor;
    return true;
}

bool option_read_flag(struct bytes value, bool *out) {
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < 4; i++) {
        if (bytes_equal_nocase(value, bytes_of(yes[i])) ||
            bytes_equal_nocase(value, bytes_of(no[i]))) {
            *out = bytes_equal_nocase(value, bytes_of(yes[i]));
            return true;
        }
    }
    return false;
}

bool option_read_choice(const struct option *option, struct bytes value, int *out) {
    for (int i = 0; option->choices[i]; i++) {
        if (bytes_is(value, option->choices[i])) {
            *out = i;
            return true;
        }
    }
    return false;
}

bool option_read_address(struct bytes value) {
    uint64_t port;
    size_t colon = value.len;
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)value.at[i] <= ' ' || value.at[i] == 0x7f) {
            return false;
        }
        colon = value.at[i] == ':' ? i : colon;
    }
    if (bytes_starts_with(value, "unix:")) {
        return value.len > strlen("unix:");
    }
    if (colon == value.len ||
        !bytes_to_u64(bytes_make(value.at + colon + 1, value.len - colon - 1), 65535, &port)) {
        return false;
    }
    // A bare IPv6 address is ambiguous: its last group would be read as the port.
    bool bracketed = colon > 2 && value.at[0] == '[' && value.at[colon - 1] == ']';
    return bracketed || (value.at[0] != '[' && !memchr(value.at, ':', colon));
}

void option_number_text(const struct option *option, uint64_t number, char *out, size_t size) {
    const struct unit *unit = units_of(option);
    while (unit->name && (number == 0 || number % unit->factor)) {
        unit++;
    }
    // A duration of zero has run past its units; plain 0 reads well for every type.
    uint64_t factor = number ? unit->factor : 1;
    snprintf(out, size, "%llu%s", (unsigned long long)(number / factor),
             unit->name ? unit->name : "");
}

static void choices_text(const struct option *option, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; option->choices[i] && used < size; i++) {
        const char *joint = i == 0 ? "" : option->choices[i + 1] ? ", " : " or ";
        used += (size_t)snprintf(out + used, size - used, "%s%s", joint, option->choices[i]);
    }
}

void option_range(const struct option *option, char *out, size_t size) {
    char low[32], high[32];
    if (option->type == OPTION_CHOICE) {
        choices_text(option, out, size);
        return;
    }
    option_number_text(option, option->min, low, sizeof(low));
    option_number_text(option, option->max, high, sizeof(high));
    if (option->max) {
        snprintf(out, size, "from %s to %s", low, high);
    } else if (option->min) {
        snprintf(out, size, "at least %s", low);
    } else {
        out[0] = '\0';
    }
}

static void number_accepts(const struct option *option, const char *what, char *out, size_t size) {
    char range[80];
    option_range(option, range, sizeof(range));
    snprintf(out, size, "%s%s%s", what, *range ? ", " : "", range);
}

void option_accepts(const struct option *option, char *out, size_t size) {
    switch (option->type) {
    case OPTION_FLAG:
        snprintf(out, size, "true or false");
        break;
    case OPTION_TEXT:
        snprintf(out, size, "some text");
        break;
    case OPTION_LIST:
        snprintf(out, size, "one value or several with commas between them");
        break;
    case OPTION_LINES:
        snprintf(out, size, "a line of text");
        break;
    case OPTION_COUNT:
        number_accepts(option, "a whole number", out, size);
        break;
    case OPTION_SIZE:
        number_accepts(option, "a size such as 512, 64k, 10m or 1g", out, size);
        break;
    case OPTION_DURATION:
        number_accepts(option, "a duration such as 250ms, 15s, 5m, 2h or 1d", out, size);
        break;
    case OPTION_CHOICE:
        choices_text(option, out, size);
        break;
    case OPTION_ADDRESS:
        snprintf(out, size, "an address such as 127.0.0.1:8042, [::1]:8042 or unix:/run/f.sock");
        break;
    }
}

const char *option_quote(struct bytes value, char out[OPTION_QUOTE_MAX]) {
    enum { SHOWN = 40 };
    size_t used = 0;
    out[used++] = '"';
    for (size_t i = 0; i < value.len && i < SHOWN; i++) {
        unsigned char c = (unsigned char)value.at[i];
        const char *format = c < 0x20 || c == 0x7f ? "\\x%02x" : "%c";
        used += (size_t)snprintf(out + used, OPTION_QUOTE_MAX - used, format, c);
    }
    snprintf(out + used, OPTION_QUOTE_MAX - used, "\"%s", value.len > SHOWN ? "…" : "");
    return out;
}
