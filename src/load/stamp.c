// Stamps as digits of base 64: two for the run, four for the lane, five each for sequence and time.
#include "load/stamp.h"

static const char digits[64] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz-";

enum { NO_DIGIT = 0x80 };

// The reverse of `digits`, by hand, because C cannot compute it and it is read for every delivery.
static uint32_t value_of(unsigned char letter) {
    static const unsigned char values[256] = {
        ['0'] = 1 + 0,  ['1'] = 1 + 1,  ['2'] = 1 + 2,  ['3'] = 1 + 3,  ['4'] = 1 + 4,
        ['5'] = 1 + 5,  ['6'] = 1 + 6,  ['7'] = 1 + 7,  ['8'] = 1 + 8,  ['9'] = 1 + 9,
        ['A'] = 1 + 10, ['B'] = 1 + 11, ['C'] = 1 + 12, ['D'] = 1 + 13, ['E'] = 1 + 14,
        ['F'] = 1 + 15, ['G'] = 1 + 16, ['H'] = 1 + 17, ['I'] = 1 + 18, ['J'] = 1 + 19,
        ['K'] = 1 + 20, ['L'] = 1 + 21, ['M'] = 1 + 22, ['N'] = 1 + 23, ['O'] = 1 + 24,
        ['P'] = 1 + 25, ['Q'] = 1 + 26, ['R'] = 1 + 27, ['S'] = 1 + 28, ['T'] = 1 + 29,
        ['U'] = 1 + 30, ['V'] = 1 + 31, ['W'] = 1 + 32, ['X'] = 1 + 33, ['Y'] = 1 + 34,
        ['Z'] = 1 + 35, ['_'] = 1 + 36, ['a'] = 1 + 37, ['b'] = 1 + 38, ['c'] = 1 + 39,
        ['d'] = 1 + 40, ['e'] = 1 + 41, ['f'] = 1 + 42, ['g'] = 1 + 43, ['h'] = 1 + 44,
        ['i'] = 1 + 45, ['j'] = 1 + 46, ['k'] = 1 + 47, ['l'] = 1 + 48, ['m'] = 1 + 49,
        ['n'] = 1 + 50, ['o'] = 1 + 51, ['p'] = 1 + 52, ['q'] = 1 + 53, ['r'] = 1 + 54,
        ['s'] = 1 + 55, ['t'] = 1 + 56, ['u'] = 1 + 57, ['v'] = 1 + 58, ['w'] = 1 + 59,
        ['x'] = 1 + 60, ['y'] = 1 + 61, ['z'] = 1 + 62, ['-'] = 1 + 63,
    };
    unsigned char value = values[letter];
    return value ? value - 1u : (uint32_t)NO_DIGIT;
}

static void write_number(uint32_t number, char *out, int places) {
    for (int i = places - 1; i >= 0; i--) {
        out[i] = digits[number & 63];
        number >>= 6;
    }
}

static uint32_t read_number(const char *in, int places, uint32_t *wrong) {
    uint32_t number = 0;
    for (int i = 0; i < places; i++) {
        uint32_t value = value_of((unsigned char)in[i]);
        *wrong |= value & NO_DIGIT;
        number = number << 6 | (value & 63);
    }
    return number;
}

void stamp_write(const struct stamp *stamp, char out[STAMP_SIZE]) {
    write_number(stamp->run, out, 2);
    write_number(stamp->lane, out + 2, 4);
    write_number(stamp->sequence, out + 6, 5);
    write_number(stamp->time_us, out + 11, 5);
}

bool stamp_read(const char in[STAMP_SIZE], struct stamp *stamp) {
    uint32_t wrong = 0;
    stamp->run = read_number(in, 2, &wrong);
    stamp->lane = read_number(in + 2, 4, &wrong);
    stamp->sequence = read_number(in + 6, 5, &wrong);
    stamp->time_us = read_number(in + 11, 5, &wrong);
    return wrong == 0;
}
