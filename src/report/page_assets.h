/* page_assets.h - web/dist inside the program: what draws a page. */
#ifndef CF_REPORT_PAGE_ASSETS_H
#define CF_REPORT_PAGE_ASSETS_H

#include "base/str.h"

/* HTML with a line each for "@css@", "@data@" and "@js@". */
cf_slice cf_page_template(void);
cf_slice cf_page_css(void);
cf_slice cf_page_js(void);

#endif
