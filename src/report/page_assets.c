/* page_assets.c - see page_assets.h. The assembler reads the files: CF_WEB_DIST is their folder, and the build knows that
 * this file depends on them. */
#include "report/page_assets.h"

#include <stdint.h>

#define EMBED(name, file)                                                                                              \
    __asm__(".section .rodata\n"                                                                                       \
            ".global " #name "\n" #name ":\n"                                                                          \
            ".incbin \"" CF_WEB_DIST "/" file "\"\n" #name "_end:\n"                                                   \
            ".balign 8\n"                                                                                              \
            ".global " #name "_n\n" #name "_n:\n"                                                                      \
            ".quad " #name "_end - " #name "\n"                                                                        \
            ".previous\n");                                                                                            \
    extern const char name[];                                                                                          \
    extern const uint64_t name##_n

EMBED(cf_page_html_bytes, "page.html");
EMBED(cf_page_css_bytes, "page.css");
EMBED(cf_page_js_bytes, "page.js");

cf_slice cf_page_template(void)
{
    return (cf_slice){cf_page_html_bytes, cf_page_html_bytes_n};
}

cf_slice cf_page_css(void)
{
    return (cf_slice){cf_page_css_bytes, cf_page_css_bytes_n};
}

cf_slice cf_page_js(void)
{
    return (cf_slice){cf_page_js_bytes, cf_page_js_bytes_n};
}
