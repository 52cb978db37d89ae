// What can go wrong below the transports, as negative numbers. A function that can fail returns 0
// or more on success and one of these otherwise; its header says which.
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

enum error {
    ERR_NOMEM = -1,     // an allocation failed; the call changed nothing
    ERR_INVALID = -2,   // the input is malformed
    ERR_TOO_LARGE = -3, // a limit was hit
    ERR_GONE = -4,      // the peer, or the thing asked for, is no longer there
    ERR_NOT_FOUND = -5,
    ERR_SYSTEM = -6, // a system call failed; errno says how
};

#endif
