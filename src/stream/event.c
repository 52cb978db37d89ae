// The errors in words.
#include <freshet/event.h>

const char *freshet_strerror(int error) {
    switch (error) {
    case 0:
        return "no error";
    case FRESHET_ERR_NOMEM:
        return "out of memory";
    case FRESHET_ERR_INVALID:
        return "invalid argument";
    case FRESHET_ERR_TOO_LARGE:
        return "a line, an event, an id or a type is longer than its limit";
    case FRESHET_ERR_STOPPED:
        return "stopped by a callback";
    default:
        return "unknown error";
    }
}
