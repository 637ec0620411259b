/* fuzz_flow.c - any bytes as a list of flows: refused, or flows whose canonical form reads back as the same flows, before
 * and after "#each" is written out. From the source root:
 *
 *   clang -std=c17 -g -O1 -D_GNU_SOURCE -Isrc -fsanitize=fuzzer,address,undefined tests/fuzz/fuzz_flow.c \
 *       src/knockout/{flow,flow_parse,flow_print,flows,grammar,group,group_expr}.c src/base/{error,memory,span,str}.c \
 *       -o /tmp/fuzz_flow
 *   /tmp/fuzz_flow -max_total_time=60 /tmp/corpus tests/fuzz/seeds/flow */
#include <stdint.h>
#include <stdlib.h>

#include "knockout/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void read_back(const cf_flows *flows)
{
    cf_flows back = {0};
    cf_str text = {0};
    require(cf_flows_print(&text, flows, NULL) == CF_OK);
    require(cf_flows_parse(&back, cf_str_slice(&text), NULL) == CF_OK);
    require(back.n == flows->n);
    for (size_t i = 0; i < back.n; i++)
        require(cf_flow_equal(&back.items[i], &flows->items[i]));
    cf_str_deinit(&text);
    cf_flows_deinit(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    cf_flows flows = {0};
    cf_error err = {0};
    const cf_status st = cf_flows_parse(&flows, (cf_slice){(const char *)data, n}, &err);
    require(st == CF_OK || (st == CF_USAGE && flows.n == 0 && err.text[0] != '\0'));
    if (st == CF_OK) {
        require(flows.n > 0);
        read_back(&flows);
        if (cf_flows_expand(&flows, 8, 3, &err) == CF_OK)
            read_back(&flows);
    }
    cf_flows_deinit(&flows);
    return 0;
}
