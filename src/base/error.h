/* error.h - status codes and the one-line message that travels with them.
 *
 * The function that detects a fault writes the message (what, where, expected, found); every caller
 * passes it on untouched. Nothing here prints. */
#ifndef CF_BASE_ERROR_H
#define CF_BASE_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CF_MUST_USE __attribute__((warn_unused_result))
#define CF_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define CF_MUST_USE
#define CF_PRINTF(fmt, args)
#endif

typedef enum cf_status {
    CF_OK = 0,
    CF_NOMEM,       /* memory or an address range could not be had */
    CF_IO,          /* the operating system refused: open, read, map, write */
    CF_FORMAT,      /* bytes that do not follow their format */
    CF_MISMATCH,    /* well-formed parts that do not fit together */
    CF_UNSUPPORTED, /* a format, model or option that is known and not handled */
    CF_USAGE,       /* an argument the caller chose wrongly */
    CF_DEVICE,      /* a compute library or device reported a fault */
    CF_INTERRUPTED  /* the user asked to stop */
} cf_status;

enum { CF_ERROR_TEXT_BYTES = 512 };

typedef struct cf_error {
    cf_status status;
    char text[CF_ERROR_TEXT_BYTES]; /* one line, NUL-terminated, no trailing newline */
} cf_error;

/* Records the message and returns status, so that `return cf_fail(err, ...)` reads as one step. err may be NULL. A
 * longer text is cut; control characters (file names are outside data) are shown as '?', so that it stays one line. */
cf_status cf_fail(cf_error *err, cf_status status, const char *fmt, ...) CF_PRINTF(3, 4);

/* Runs a call; on failure leaves through the function's `done` label with `st` set. */
#define CF_TRY(call)                                                                                                   \
    do {                                                                                                               \
        st = (call);                                                                                                   \
        if (st != CF_OK)                                                                                               \
            goto done;                                                                                                 \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif
