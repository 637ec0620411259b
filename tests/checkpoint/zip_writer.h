/* zip_writer.h - zip archives for tests, as torch.save writes them and as nobody should. */
#ifndef CF_TESTS_ZIP_WRITER_H
#define CF_TESTS_ZIP_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* What of a member the directory has in a zip64 field, whose three values are the sizes and the place. */
typedef enum zip_wide {
    ZIP_NARROW,
    ZIP_WIDE,       /* everything */
    ZIP_WIDE_PLACE, /* the place alone */
    ZIP_WIDE_SHORT  /* everything, but the field is cut before the place */
} zip_wide;

/* One member; what is zero is as it should be. */
typedef struct zip_item {
    const char *name;
    const void *data;
    size_t n;
    uint16_t flags, method;
    uint16_t n_extra; /* zero bytes of padding before the data: a field that no one reads */
    bool descriptor;  /* sizes after the data, none in the local header */
    zip_wide wide;
    const char *comment; /* in the directory */
    /* To falsify the directory's numbers ... */
    int64_t add_stored, add_plain, add_begin, add_name, add_comment;
    /* ... and what the local header has. */
    int64_t add_local_stored, add_local_plain, add_local_extra;
    uint16_t other_local_flags, other_local_method; /* bits that differ */
    const char *local_name;                         /* where it differs */
} zip_item;

/* How the archive ends. */
typedef struct zip_end {
    bool zip64; /* with a zip64 end record and locator, as torch.save always writes */
    const char *comment;
    int64_t add_members, add_size, add_begin;        /* to the end record's numbers */
    int64_t add_members64, add_begin64, add_locator; /* to the zip64 end record's, to where its locator points */
    size_t n_gap;                                    /* bytes between the zip64 record and its locator */
    uint16_t disk;
} zip_end;

/* The archive's bytes, a heap array of exactly *n_out, so that a sanitizer sees a read past it. */
unsigned char *zip_write(size_t *n_out, const zip_item *items, size_t n, zip_end end);

#endif
