/* zip.h - the members of a zip archive that are stored without compression, as views of its bytes. Folder-private.
 *
 * Format: PKWARE APPNOTE 6.3.10, zip64 included. What torch.save does not write (compression, encryption, several disks)
 * is refused; its data descriptors are not needed, since the central directory has every size. Checksums are not looked
 * at: torch can be told not to write them. */
#ifndef CF_CHECKPOINT_ZIP_H
#define CF_CHECKPOINT_ZIP_H

#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

typedef struct cf_zip_member {
    cf_slice name;
    cf_slice data;
    size_t begin; /* of its local header in the archive */
} cf_zip_member;

typedef struct cf_zip {
    cf_zip_member *members; /* sorted by name, no name twice, no byte in two members */
    size_t n;
} cf_zip;

/* bytes[n] must outlive *out; `path` names them in messages. */
CF_MUST_USE cf_status cf_zip_parse(cf_zip *out, const unsigned char *bytes, size_t n, const char *path, cf_error *err);
void cf_zip_deinit(cf_zip *z);
const cf_zip_member *cf_zip_find(const cf_zip *z, cf_slice name); /* NULL where absent */

#endif
