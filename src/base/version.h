/* version.h - which crossflow this is. */
#ifndef CF_BASE_VERSION_H
#define CF_BASE_VERSION_H

/* "0.1.0 (commit 1a2b3c4d5e6f)", with "+" behind the commit where the tree had changes; without a commit where the source
 * was not built from a git checkout. */
const char *cf_version(void);

#endif
