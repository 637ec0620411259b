/* version.c - see version.h. The commit comes from a header that the build renews (cmake/commit.cmake). */
#include "base/version.h"

#include <cf_commit.h> /* made by the build */

const char *cf_version(void)
{
    return CF_VERSION CF_COMMIT;
}
